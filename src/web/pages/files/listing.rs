//! Directories below the job directory.

use askama::Template;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use crate::domain::JobId;
use crate::files::{Entry, EntryKind};
use crate::web::pages::chrome::Chrome;
use crate::web::pages::text::{self, Date};

/// What a name must not bring into a path of ours.
const IN_PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'`')
    .add(b'/')
    .add(b'\\')
    .add(b'{')
    .add(b'}');

pub struct FileRow {
    pub name: String,
    /// Below the prefix. Empty for what cannot be opened.
    pub link: String,
    pub size: String,
    pub modified: Date,
}

/// A page lists so many names.
const MOST_ROWS: usize = 1000;

/// Rows for a page, and how many are left out after them.
pub fn file_rows(id: JobId, path: &str, entries: &[Entry], skip: usize) -> (Vec<FileRow>, usize) {
    let path = encoded(path);
    let above = if path.is_empty() { path } else { format!("{path}/") };
    let row = |entry: &Entry| {
        let link = format!("/jobs/{id}/files/{above}{}", utf8_percent_encode(&entry.name, IN_PATH));
        let (name, link, size) = match entry.kind {
            EntryKind::Dir => (format!("{}/", entry.name), link, String::new()),
            EntryKind::File => (entry.name.clone(), link, text::bytes(entry.size)),
            EntryKind::Link => (entry.name.clone(), link, "a link".to_owned()),
            EntryKind::Other => (entry.name.clone(), String::new(), "not a file".to_owned()),
        };
        FileRow { name, link, size, modified: Date::of(entry.modified) }
    };
    let rows = entries.iter().skip(skip).take(MOST_ROWS).map(row).collect();
    (rows, entries.len().saturating_sub(skip.saturating_add(MOST_ROWS)))
}

/// A path as part of a URL.
pub fn encoded(path: &str) -> String {
    let parts = path.split('/').filter(|part| !part.is_empty());
    parts.map(|part| utf8_percent_encode(part, IN_PATH).to_string()).collect::<Vec<_>>().join("/")
}

/// A directory above.
#[derive(Debug, PartialEq, Eq)]
pub struct Crumb {
    pub name: String,
    /// Below the prefix.
    pub link: String,
}

/// The directories that lead to `path`, and its own name.
pub fn crumbs(id: JobId, path: &str) -> (Vec<Crumb>, String) {
    let mut link = format!("/jobs/{id}/files");
    let mut crumbs = vec![Crumb { name: "files".to_owned(), link: format!("{link}/") }];
    let Some((above, name)) = path.rsplit_once('/') else { return (crumbs, path.to_owned()) };
    for part in above.split('/').filter(|part| !part.is_empty()) {
        link = format!("{link}/{}", utf8_percent_encode(part, IN_PATH));
        crumbs.push(Crumb { name: part.to_owned(), link: link.clone() });
    }
    (crumbs, name.to_owned())
}

#[derive(Template)]
#[template(path = "files.html")]
pub struct Listing {
    chrome: Chrome,
    id: String,
    /// Empty for the job directory itself.
    name: String,
    crumbs: Vec<Crumb>,
    files: Vec<FileRow>,
    /// Below the prefix: what sends all of it.
    packed: String,
    /// Queries.
    newer: Option<String>,
    older: Option<String>,
}

impl Listing {
    pub fn new(chrome: Chrome, id: JobId, path: &str, entries: &[Entry], skip: usize) -> Self {
        let (files, more) = file_rows(id, path, entries, skip);
        let (mut crumbs, name) = crumbs(id, path);
        if name.is_empty() {
            crumbs.clear();
        }
        Listing {
            chrome,
            id: id.to_string(),
            name,
            crumbs,
            files,
            packed: format!("/api/1.0/task/{id}/files/{}", encoded(path)),
            newer: (skip > 0).then(|| format!("?skip={}", skip.saturating_sub(MOST_ROWS))),
            older: (more > 0).then(|| format!("?skip={}", skip + MOST_ROWS)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;

    fn entry(name: &str, kind: EntryKind) -> Entry {
        Entry { name: name.to_owned(), kind, size: 7, modified: Timestamp(0) }
    }

    #[test]
    fn names_lead_only_to_themselves() {
        let entries = [entry("a b#c?&\"<.txt", EntryKind::File), entry("..%2f", EntryKind::Dir)];
        let (rows, _) = file_rows(JobId(7), "of x/deep", &entries, 0);
        assert_eq!(rows[0].link, "/jobs/7/files/of%20x/deep/a%20b%23c%3F&%22%3C.txt");
        assert_eq!(rows[1].link, "/jobs/7/files/of%20x/deep/..%252f");
        let (above, name) = crumbs(JobId(7), "of x/deep/er");
        let links: Vec<_> = above.iter().map(|crumb| crumb.link.as_str()).collect();
        assert_eq!(links, ["/jobs/7/files/", "/jobs/7/files/of%20x", "/jobs/7/files/of%20x/deep"]);
        assert_eq!((name.as_str(), crumbs(JobId(7), "deep").0.len()), ("er", 1));
    }

    #[test]
    fn a_directory_of_many_files_is_shown_in_parts() {
        let entries: Vec<_> = (0..MOST_ROWS + 5).map(|n| entry(&n.to_string(), EntryKind::File)).collect();
        let (rows, more) = file_rows(JobId(7), "", &entries, 0);
        assert_eq!((rows.len(), more), (MOST_ROWS, 5));
        let (rows, more) = file_rows(JobId(7), "", &entries, MOST_ROWS);
        assert_eq!((rows.len(), more), (5, 0));
        assert!(file_rows(JobId(7), "", &entries, usize::MAX).0.is_empty());
    }
}
