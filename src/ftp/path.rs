//! Paths as clients say them.

use std::path::{Component, Path};

use unftp_core::storage::{Error, ErrorKind};

/// Where in the space `path` is: relative, without `.` and `..`. What climbs above the top stays at the top, as in any
/// file system.
pub(super) fn within(path: &Path) -> Result<String, Error> {
    let mut names: Vec<&str> = Vec::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => {
                names.push(name.to_str().ok_or_else(|| Error::from(ErrorKind::FileNameNotAllowedError))?);
            }
            Component::ParentDir => drop(names.pop()),
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
    Ok(names.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_climbs_above_the_space() {
        for (path, expected) in
            [("/", ""), ("/../../etc/passwd", "etc/passwd"), ("/a/./b//../c", "a/c"), ("a/b/", "a/b"), ("..", "")]
        {
            assert_eq!(within(Path::new(path)).unwrap(), expected, "{path}");
        }
    }
}
