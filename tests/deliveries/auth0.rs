//! A live export from Auth0's simulator: ordered, awaited, downloaded and read.

use usher_vendors::{
    Auth0,
    auth0::{Settings, made_up},
};

use crate::support::Bench;

const SECRETS: [(&str, &str); 1] = [("AUTH0_SECRET", "hush-secret")];

fn bench(vendor: &Auth0, more: &str) -> Bench {
    let bench = Bench::new();
    let domain = vendor.domain();
    bench.write(
        "connectors.toml",
        format!(
            r#"version = 1

[connectors.users]
plugin = "auth0"
hosts = ["{domain}"]

[connectors.users.options.tenant]
domain = "{domain}"
client_id = "usher-client"
client_secret = "${{env:AUTH0_SECRET}}"
{more}

[connectors.people]
plugin = "csv"
fields = {{ id = "user_id", email = "email", plan = "user_metadata.plan" }}

[chains.main]
from = "users"
to = ["people"]
"#
        ),
    );
    bench
}

#[test]
fn every_form_of_order_is_as_auth0_describes_it() {
    let cases = [
        ("", 40),
        ("format = \"csv\"", 40),
        ("limit = 7", 7),
        ("connection_id = \"con_0000000000000001\"", 40),
    ];
    for (more, rows) in cases {
        let vendor = Auth0::start(Settings { users: made_up(40), ..Settings::default() });
        let bench = bench(&vendor, more);
        let output = bench.command(&["run", "--quiet"]).envs(SECRETS).output().unwrap();
        bench.said(output).expect(0);
        let account = vendor.account();
        assert_eq!(account.violations, [""; 0], "{more}");
        assert_eq!(account.leaked_credentials, 0, "{more}");
        let parts = bench.parts("main", "people");
        assert_eq!(std::fs::read_to_string(&parts[0]).unwrap().lines().count(), rows + 1, "{more}");
    }
}
