//! Generates the C header into OUT_DIR (`make header` copies it to `include/queues.h`) and names
//! the shared library.

use std::{env, path::PathBuf};

fn main() {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap());
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap());
    let version = |part: &str| env::var(format!("CARGO_PKG_VERSION{part}")).unwrap();
    let (whole, major, minor, patch) =
        (version(""), version("_MAJOR"), version("_MINOR"), version("_PATCH"));

    println!("cargo:rerun-if-changed=src/ffi");
    println!("cargo:rerun-if-changed=src/ffi.rs");
    println!("cargo:rerun-if-changed=cbindgen.toml");
    let mut config = cbindgen::Config::from_file(root.join("cbindgen.toml")).unwrap();
    config.after_includes = Some(format!(
        "\n#define QUEUES_VERSION_MAJOR {major}\n#define QUEUES_VERSION_MINOR {minor}\n\
         #define QUEUES_VERSION_PATCH {patch}\n#define QUEUES_VERSION \"{whole}\""
    ));
    let mut builder = cbindgen::Builder::new().with_config(config);
    for file in [
        "ffi.rs",
        "ffi/status.rs",
        "ffi/stats.rs",
        "ffi/mpmc.rs",
        "ffi/spsc.rs",
        "ffi/priority.rs",
        "ffi/deque.rs",
        "ffi/batch.rs",
    ] {
        builder = builder.with_src(root.join("src").join(file));
    }
    builder.generate().unwrap().write_to_file(out.join("queues.h"));
    // Tests compare it with the one that is checked in.
    println!("cargo:rustc-env=QUEUES_GENERATED_HEADER={}", out.join("queues.h").display());

    // The sanitizer's own cfg is for nightly compilers only.
    if env::var("CARGO_CFG_SANITIZE").is_ok_and(|sanitizers| sanitizers.contains("thread")) {
        println!("cargo:rustc-cfg=queues_tsan");
    }

    if env::var("CARGO_CFG_TARGET_OS").unwrap() == "linux" {
        // While the major version is 0, a minor version may break the ABI.
        let abi = if major == "0" { format!("0.{minor}") } else { major };
        println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libqueues.so.{abi}");
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,relro,-z,now,-z,noexecstack");
    }
}
