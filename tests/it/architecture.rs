//! ARCHITECTURE.md is true: the paths it names exist, and imports point one way.

use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The modules from the bottom to the top: each may use those before it. Those in one row may use each other.
const LAYERS: &[&[&str]] = &[
    &["domain"],
    &["config", "measures"],
    &["scheduling"],
    &["store"],
    &["bus", "files", "process"],
    &["plugins"],
    &["telemetry"],
    &["actors", "web", "ftp"],
    &["accounts", "bootstrap", "client", "daemons", "status", "upkeep"],
];

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|modules| modules.contains(&module))
}

fn sources(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

fn is_test(path: &Path) -> bool {
    path.components().any(|part| matches!(part.as_os_str().to_str(), Some("tests" | "tests.rs" | "test_store.rs")))
}

#[test]
fn imports_point_one_way() {
    let src = root().join("src");
    let mut wrong = Vec::new();
    for path in sources(&src).into_iter().filter(|path| !is_test(path)) {
        let module = path.strip_prefix(&src).unwrap().components().next().unwrap().as_os_str().to_str().unwrap();
        let Some(own) = layer(module.trim_end_matches(".rs")) else { continue };
        let text = std::fs::read_to_string(&path).unwrap();
        // What only tests use does not count.
        let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        for used in text.split("crate::").skip(1) {
            let used: String = used.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
            if layer(&used).is_some_and(|used| used > own) {
                wrong.push(format!("{} uses {used}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_paths_that_documents_name_exist() {
    for document in ["ARCHITECTURE.md", "CONTRIBUTING.md", "README.md"] {
        let text = std::fs::read_to_string(root().join(document)).unwrap();
        let named = text.split('`').skip(1).step_by(2);
        let paths = named.filter(|name| {
            ["src/", "tests/", "templates/", "static/", "scripts/", "docs/"].iter().any(|d| name.starts_with(d))
        });
        for path in paths {
            assert!(root().join(path).exists(), "{document} names {path}");
        }
    }
}

#[test]
fn no_file_is_longer_than_it_should_be() {
    for path in sources(&root().join("src")) {
        let lines = std::fs::read_to_string(&path).unwrap().lines().count();
        assert!(lines <= 600, "{} has {lines} lines", path.display());
    }
}
