//! Names the shared library. With the feature `header`, also generates the C header.

#[cfg(feature = "header")]
#[path = "build/header.rs"]
mod header;

fn variable(name: &str) -> String {
    std::env::var(name).unwrap()
}

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    #[cfg(feature = "header")]
    header::generate();

    // The sanitizer's own cfg is for nightly compilers only.
    if std::env::var("CARGO_CFG_SANITIZE").is_ok_and(|sanitizers| sanitizers.contains("thread")) {
        println!("cargo:rustc-cfg=queues_tsan");
    }

    // Queues between processes need Linux: locks of open file descriptions, and futexes. Models and
    // Miri have no second process.
    let has = |cfg: &str| std::env::var_os(format!("CARGO_CFG_{cfg}")).is_some();
    let is_linux = variable("CARGO_CFG_TARGET_OS") == "linux";
    if is_linux && !has("LOOM") && !has("MIRI") && !has("QUEUES_PORTABLE") {
        println!("cargo:rustc-cfg=queues_shared");
    }

    if is_linux {
        // While the major version is 0, a minor version may break the ABI.
        let (major, minor) =
            (variable("CARGO_PKG_VERSION_MAJOR"), variable("CARGO_PKG_VERSION_MINOR"));
        let abi = if major == "0" { format!("0.{minor}") } else { major };
        println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libqueues.so.{abi}");
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,relro,-z,now,-z,noexecstack");
    }
}
