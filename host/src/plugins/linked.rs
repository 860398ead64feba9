//! Only for `bench/boundary`, which builds with the feature `linked`: connectors that stand in the host itself. All else is
//! as ever, so what is left between the two is what loading and calling a library costs.

use std::path::Path;

use usher_abi::ModuleRef;

/// The root module of the connector that such a file would hold, if it is linked.
pub(super) fn module(path: &Path) -> Option<ModuleRef> {
    match path.file_stem()?.to_str()? {
        "libusher_auth0" => Some(usher_auth0::plugin()),
        "libusher_csv" => Some(usher_csv::plugin()),
        _ => None,
    }
}
