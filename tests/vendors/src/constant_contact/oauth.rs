//! Tokens: refreshed, rotated, and asked for on a device.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::json;

use super::settings::Settings;
use crate::{
    clock,
    limits::Window,
    message::{Asked, Reply},
};

const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
const DEVICE_LIVES: Duration = Duration::from_secs(600);

/// A login that a person is asked for on another device.
#[derive(Clone, Debug)]
pub struct Device {
    /// What the person types.
    pub user_code: String,
    /// Whether the person has agreed.
    pub is_approved: bool,
    scope: String,
    asked: Instant,
}

/// The token endpoints' memory.
#[derive(Debug)]
pub struct OAuth {
    /// Refresh tokens that are good.
    pub refresh_tokens: Vec<String>,
    /// Refresh tokens that were good once; who uses one has lost the connection.
    pub voided: Vec<String>,
    /// How often a voided token was used.
    pub voided_uses: u32,
    /// How often tokens were handed out.
    pub handed_out: u32,
    /// Logins by device code.
    pub devices: HashMap<String, Device>,
    access_tokens: HashMap<String, Instant>,
    window: Window,
}

impl OAuth {
    pub(crate) fn new(settings: &Settings) -> Self {
        let access =
            (!settings.access_token.is_empty()).then(|| (settings.access_token.clone(), Instant::now()));
        let second = clock::scaled(Duration::from_secs(1), settings.speed);
        Self {
            refresh_tokens: vec![settings.refresh_token.clone()],
            voided: Vec::new(),
            voided_uses: 0,
            handed_out: 0,
            devices: HashMap::new(),
            access_tokens: access.into_iter().collect(),
            window: Window::new(settings.tokens_per_second, second),
        }
    }

    /// The person agrees, as on the vendor's page.
    pub fn approve(&mut self, user_code: &str) {
        for device in self.devices.values_mut().filter(|device| device.user_code == user_code) {
            device.is_approved = true;
        }
    }

    /// Ends all access tokens, as time or a person does.
    pub fn expire_access_tokens(&mut self) {
        self.access_tokens.clear();
    }

    pub(crate) fn is_good(&self, token: &str, settings: &Settings) -> bool {
        let made = self.access_tokens.get(token);
        made.is_some_and(|made| made.elapsed() < settings.access_token_lives)
    }

    pub(crate) fn token(&mut self, settings: &Settings, asked: &Asked) -> Result<Reply, Reply> {
        self.window.take().map_err(|_| Reply::text(429, "Too Many Requests"))?;
        let form = asked.form();
        let field =
            |name: &str| form.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str()).unwrap_or_default();
        match field("grant_type") {
            "refresh_token" => {
                client(settings, asked, field("client_id"))?;
                self.refreshed(settings, field("refresh_token"))
            }
            DEVICE_GRANT => {
                let code = field("device_code");
                if field("client_id") != settings.client_id {
                    return Err(refused(401, "invalid_client", "the client is not known"));
                }
                self.of_device(settings, code)
            }
            _ => Err(refused(400, "unsupported_grant_type", "the grant type is not supported")),
        }
    }

    fn refreshed(&mut self, settings: &Settings, token: &str) -> Result<Reply, Reply> {
        if !self.refresh_tokens.iter().any(|good| good == token) {
            self.voided_uses += u32::from(self.voided.iter().any(|old| old == token));
            return Err(refused(400, "invalid_grant", "The refresh token is invalid or expired."));
        }
        if !settings.rotates {
            let token = token.to_owned();
            return Ok(self.hand_out(settings, Some(token), &settings.scopes.join(" ")));
        }
        self.voided.append(&mut self.refresh_tokens);
        let new = format!("hush-refresh-{}", self.voided.len());
        self.refresh_tokens.push(new.clone());
        Ok(self.hand_out(settings, Some(new), &settings.scopes.join(" ")))
    }

    fn of_device(&mut self, settings: &Settings, code: &str) -> Result<Reply, Reply> {
        let device =
            self.devices.get(code).ok_or_else(|| refused(400, "invalid_grant", "no such device code"))?;
        if device.asked.elapsed() > DEVICE_LIVES {
            return Err(refused(400, "expired_token", "the device code has expired"));
        }
        let is_time = settings.approves_after.is_some_and(|after| device.asked.elapsed() >= after);
        if !device.is_approved && !is_time {
            return Err(refused(400, "authorization_pending", "the person has not agreed yet"));
        }
        let scope = device.scope.clone();
        self.devices.remove(code);
        let wants = scope.split([' ', '+']).any(|scope| scope == "offline_access");
        let refresh = (wants && settings.device_gives_refresh_token).then(|| {
            let new = format!("hush-refresh-{}", self.voided.len() + self.refresh_tokens.len());
            self.refresh_tokens.push(new.clone());
            new
        });
        Ok(self.hand_out(settings, refresh, &scope))
    }

    fn hand_out(&mut self, settings: &Settings, refresh: Option<String>, scope: &str) -> Reply {
        self.handed_out += 1;
        let access = format!("eyJ.hush-access-{}.{:016x}", self.handed_out, fastrand::u64(..));
        self.access_tokens.insert(access.clone(), Instant::now());
        let mut body = json!({
            "token_type": "Bearer",
            "expires_in": settings.access_token_lives.as_secs(),
            "access_token": access,
            "scope": scope,
        });
        if let Some(refresh) = refresh {
            body["refresh_token"] = json!(refresh);
        }
        Reply::json(200, &body)
    }

    /// The reply of RFC 8628, whose fields the sheet leaves to it.
    pub(crate) fn device(&mut self, settings: &Settings, asked: &Asked) -> Result<Reply, Reply> {
        let form = asked.form();
        let field =
            |name: &str| form.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str()).unwrap_or_default();
        if field("client_id") != settings.client_id {
            return Err(refused(401, "invalid_client", "the client is not known"));
        }
        let device_code = format!("device-{:032x}", fastrand::u128(..));
        let user_code = format!("{:04}-{:04}", fastrand::u32(0..10_000), fastrand::u32(0..10_000));
        let page = format!("http://{}/device", asked.header("host").unwrap_or("localhost"));
        let device = Device {
            user_code: user_code.clone(),
            is_approved: false,
            scope: field("scope").to_owned(),
            asked: Instant::now(),
        };
        self.devices.insert(device_code.clone(), device);
        let body = json!({
            "device_code": device_code,
            "user_code": user_code,
            "verification_uri": page,
            "verification_uri_complete": format!("{page}?user_code={user_code}"),
            "expires_in": DEVICE_LIVES.as_secs(),
            "interval": clock::whole_seconds(clock::scaled(Duration::from_secs(5), settings.speed)),
        });
        Ok(Reply::json(200, &body))
    }
}

/// By Basic, or by id alone where there is no secret.
fn client(settings: &Settings, asked: &Asked, id: &str) -> Result<(), Reply> {
    let basic = asked.header("authorization").and_then(|header| header.strip_prefix("Basic "));
    let is_known = match basic.and_then(|text| STANDARD.decode(text).ok()) {
        Some(bytes) => bytes == format!("{}:{}", settings.client_id, settings.client_secret).into_bytes(),
        None => settings.client_secret.is_empty() && id == settings.client_id,
    };
    if is_known { Ok(()) } else { Err(refused(401, "invalid_client", "the client is not known")) }
}

/// OAuth's own form of errors.
fn refused(status: u16, error: &str, description: &str) -> Reply {
    Reply::json(status, &json!({ "error": error, "error_description": description }))
}
