//! Stateful doubles of the vendors' APIs on loopback sockets: accounts, jobs that take time, limits, the vendors' own
//! nastiness, and faults on demand. What a vendor does stands in its sheet; what no sheet knows is a setting.

mod clock;
mod contract;
mod exchanges;
mod faults;
mod limits;
mod message;
mod multipart;
mod server;
mod simulator;
mod socket;
mod text;
mod unknown;

/// Auth0's users-exports jobs, and the files behind their links.
pub mod auth0;
/// Carrot quest's API: users by file and by property.
pub mod carrot_quest;
/// Constant Contact's v3 API: contacts by import, tokens that rotate.
pub mod constant_contact;
/// Zendesk's Support API: users and organizations in bulk, by jobs.
pub mod zendesk;

pub use auth0::Auth0;
pub use carrot_quest::CarrotQuest;
pub use constant_contact::ConstantContact;
pub use contract::{Contract, Exception};
pub use faults::{Fault, FaultPlan, Faults, Struck};
pub use message::{Asked, Reply};
pub use simulator::{Simulator, Vendor};
pub use unknown::OnUnknown;
pub use zendesk::Zendesk;
