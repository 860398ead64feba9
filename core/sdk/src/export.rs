//! `export!`: the one macro a plugin calls.

/// Makes this crate a plugin: the preamble, the root module and every entry with its panic guard.
///
/// The crate is a `cdylib` (for the host) and an `rlib` (for its tests, which use the generated `plugin()`).
///
/// ```text
/// usher_sdk::export! {
///     name = "zendesk",
///     summary = "Zendesk Support users",
///     sources = { "users" => source::Users },
///     transforms = {},
///     sinks = { "users" => sink::Users },
///     wants = ["input", "output"],
///     hosts = ["*.zendesk.com"],
///     login = login::Login,
/// }
/// ```
///
/// `login` is for vendors to which a person logs in ([`Login`](crate::Login)); most need none.
///
/// `wants` is the whole list of services that the host gives the plugin's instances
/// ([`SERVICES`](crate::abi::preamble::SERVICES)); without it a plugin with a source gets `input`, one with a sink
/// `output`. Rights of the system may stand among them, for plugins that do more than compute: `"network"` to open sockets of
/// their own, absolute paths to read files; they are refused unless a connector's `jail.grants` names them. It stands in the file, for everybody to read before the plugin runs. A service that does not exist does not
/// compile:
///
/// ```
/// usher_sdk::export! { name = "example", summary = "An example", wants = ["input", "state"], }
/// # fn main() {}
/// ```
///
/// ```compile_fail,E0080
/// usher_sdk::export! { name = "example", summary = "An example", wants = ["input", "sate"], }
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! export {
    (
        name = $name:literal,
        summary = $summary:literal,
        $(sources = { $($source_name:literal => $source:ty),* $(,)? },)?
        $(transforms = { $($transform_name:literal => $transform:ty),* $(,)? },)?
        $(sinks = { $($sink_name:literal => $sink:ty),* $(,)? },)?
        $(wants = [$($want:literal),* $(,)?],)?
        $(hosts = [$($host:literal),* $(,)?],)?
        $(login = $login:ty,)?
    ) => {
        /// This plugin's root module, for tests that link it instead of loading it.
        pub fn plugin() -> $crate::abi::ModuleRef {
            use $crate::abi::export::PrefixTypeTrait as _;
            $crate::abi::Module {
                describe: __usher::describe,
                open: __usher::open,
                get_extension: __usher::get_extension,
            }
            .leak_into_prefix()
        }

        #[doc(hidden)]
        mod __usher {
            #[allow(unused_imports, reason = "a plugin need not name its types through modules")]
            use super::*;
            use $crate::abi::{preamble, Error, Extension, HostTable, Instance, Kind, ROption, RResult, RStr, RString};

            const COMPONENT_PARTS: &[&str] = &[
                $($(concat!(",{\"role\":\"source\",\"name\":\"", $source_name, "\"}"),)*)?
                $($(concat!(",{\"role\":\"transform\",\"name\":\"", $transform_name, "\"}"),)*)?
                $($(concat!(",{\"role\":\"sink\",\"name\":\"", $sink_name, "\"}"),)*)?
            ];
            const COMPONENTS: [u8; preamble::length(COMPONENT_PARTS)] = preamble::concatenate(COMPONENT_PARTS);
            const SOURCES: &[&str] = &[$($($source_name),*)?];
            const SINKS: &[&str] = &[$($($sink_name),*)?];
            const GIVEN: &[&[&str]] = &[$(&[$($want),*])?];
            const WANTED: &[&str] = match GIVEN {
                [given] => given,
                _ => preamble::usual_wants(!SOURCES.is_empty(), !SINKS.is_empty()),
            };
            const WANT_PARTS: &[&str] = &preamble::want_parts(WANTED);
            const WANTS: [u8; preamble::length(WANT_PARTS)] = preamble::concatenate(WANT_PARTS);
            const RIGHT_PARTS: &[&str] =
                &[$($(preamble::right_part($want, concat!(",\"", $want, "\"")),)*)?];
            const RIGHTS: [u8; preamble::length(RIGHT_PARTS)] = preamble::concatenate(RIGHT_PARTS);
            const HOST_PARTS: &[&str] = &[$($(concat!(",\"", $host, "\""),)*)?];
            const HOSTS: [u8; preamble::length(HOST_PARTS)] = preamble::concatenate(HOST_PARTS);
            const _: () = preamble::check_plain(&[
                $name,
                $summary,
                $($($source_name,)*)?
                $($($transform_name,)*)?
                $($($sink_name,)*)?
                $($($want,)*)?
                $($($host,)*)?
            ]);
            const PARTS: &[&str] = &[
                "{\"usher\":\"plugin\",\"abi\":[",
                preamble::ABI_MAJOR_TEXT,
                ",",
                preamble::ABI_MINOR_TEXT,
                concat!("],\"name\":\"", $name, "\",\"version\":\"", env!("CARGO_PKG_VERSION")),
                concat!("\",\"summary\":\"", $summary, "\",\"sdk\":\""),
                $crate::VERSION,
                "\",\"rustc\":\"",
                preamble::RUSTC,
                "\",\"target\":\"",
                preamble::TARGET,
                "\",\"panic\":\"",
                preamble::PANIC,
                "\",\"components\":[",
                preamble::without_first_comma(&COMPONENTS),
                "],\"wants\":[",
                preamble::without_first_comma(&WANTS),
                preamble::following(&WANTS, &RIGHTS),
                "],\"hosts\":[",
                preamble::without_first_comma(&HOSTS),
                "]}",
            ];

            // Exported, too: with rustc 1.85 the linker throws a section away that is `#[used]` only.
            #[used]
            #[cfg_attr(target_vendor = "apple", unsafe(link_section = "__DATA,__usher"))]
            #[cfg_attr(not(target_vendor = "apple"), unsafe(link_section = ".usher"))]
            #[unsafe(no_mangle)]
            #[allow(non_upper_case_globals, reason = "named as a symbol of the library")]
            pub static usher_preamble: [u8; preamble::length(PARTS)] = preamble::concatenate(PARTS);

            fn root() -> $crate::abi::ModuleRef {
                super::plugin()
            }

            extern "C" fn construct() -> $crate::abi::export::RootModuleResult {
                $crate::abi::export::call_root_module_loader(root)
            }

            // The name that abi_stable looks for: `ROOT_MODULE_LOADER_NAME`.
            #[unsafe(no_mangle)]
            #[allow(non_upper_case_globals, reason = "the loader's name is not ours to choose")]
            pub static _1as_0lib_1header_0root_bmodule_bloader: $crate::abi::export::LibHeader =
                $crate::header::<$crate::abi::ModuleRef>(construct);

            pub(super) extern "C" fn describe() -> RResult<RString, Error> {
                $crate::entries::describe(|| $crate::abi::Description {
                    name: $name.to_owned(),
                    version: env!("CARGO_PKG_VERSION").to_owned(),
                    summary: $summary.to_owned(),
                    components: vec![
                        $($(<$source as $crate::Source>::component(),)*)?
                        $($(<$transform as $crate::Transform>::component(),)*)?
                        $($(<$sink as $crate::Sink>::component(),)*)?
                    ],
                })
            }

            #[allow(unused_mut, unused_variables, clippy::vec_init_then_push, reason = "a role may have no component")]
            pub(super) extern "C" fn open(
                kind: Kind,
                name: RStr<'_>,
                options: RStr<'_>,
                host: HostTable,
            ) -> RResult<Instance, Error> {
                let mut openers: Vec<$crate::entries::Opener> = Vec::new();
                $($(openers.push((Kind::SOURCE, $source_name, $crate::entries::open_source::<$source>));)*)?
                $($(openers.push((Kind::TRANSFORM, $transform_name, $crate::entries::open_transform::<$transform>));)*)?
                $($(openers.push((Kind::SINK, $sink_name, $crate::entries::open_sink::<$sink>));)*)?
                $crate::entries::open(&openers, kind, name.as_str(), options.as_str(), host)
            }

            #[allow(unused_variables, unreachable_code, reason = "a plugin may have no extension")]
            pub(super) extern "C" fn get_extension(id: RStr<'_>) -> ROption<Extension> {
                $(return $crate::entries::extension::<$login>(id.as_str());)?
                ROption::RNone
            }
        }
    };
}
