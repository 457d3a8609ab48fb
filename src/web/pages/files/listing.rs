//! Directories below the job directory.

use askama::Template;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use crate::domain::JobId;
use crate::files::{Entry, EntryKind};
use crate::web::pages::chrome::Chrome;
use crate::web::words::{Date, Words};

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
    pub is_directory: bool,
    /// Below the prefix. Empty for what cannot be opened.
    pub link: String,
    pub size: String,
    pub modified: Date,
}

/// A page of a directory lists so many names.
const MOST_ROWS: usize = 500;

/// Rows for a page, at most `most`, and how many are left out after them.
pub fn file_rows(
    words: &Words,
    id: JobId,
    path: &str,
    entries: &[Entry],
    skip: usize,
    most: usize,
) -> (Vec<FileRow>, usize) {
    let path = encoded(path);
    let above = if path.is_empty() { path } else { format!("{path}/") };
    let row = |entry: &Entry| {
        let link = format!("/jobs/{id}/files/{above}{}", utf8_percent_encode(&entry.name, IN_PATH));
        let (name, link, size) = match entry.kind {
            EntryKind::Dir => (format!("{}/", entry.name), link, String::new()),
            EntryKind::File => (entry.name.clone(), link, words.bytes(entry.size)),
            EntryKind::Link => (entry.name.clone(), link, words.t("files-a-link")),
            EntryKind::Other => (entry.name.clone(), String::new(), words.t("files-no-file")),
        };
        FileRow { is_directory: entry.kind == EntryKind::Dir, name, link, size, modified: words.date(entry.modified) }
    };
    let rows = entries.iter().skip(skip).take(most).map(row).collect();
    (rows, entries.len().saturating_sub(skip.saturating_add(most)))
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
pub fn crumbs(words: &Words, id: JobId, path: &str) -> (Vec<Crumb>, String) {
    let mut link = format!("/jobs/{id}/files");
    let mut crumbs = vec![Crumb { name: words.t("files-all"), link: format!("{link}/") }];
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
        let (files, more) = file_rows(&chrome.words, id, path, entries, skip, MOST_ROWS);
        let (mut crumbs, name) = crumbs(&chrome.words, id, path);
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
    use crate::web::words::Language;

    fn words() -> Words {
        Words::new(Language::English, None)
    }

    fn entry(name: &str, kind: EntryKind) -> Entry {
        Entry { name: name.to_owned(), kind, size: 7, modified: Timestamp(0) }
    }

    #[test]
    fn names_lead_only_to_themselves() {
        let entries = [entry("a b#c?&\"<.txt", EntryKind::File), entry("..%2f", EntryKind::Dir)];
        let (rows, _) = file_rows(&words(), JobId(7), "of x/deep", &entries, 0, 9);
        assert_eq!(rows[0].link, "/jobs/7/files/of%20x/deep/a%20b%23c%3F&%22%3C.txt");
        assert_eq!(rows[1].link, "/jobs/7/files/of%20x/deep/..%252f");
        let (above, name) = crumbs(&words(), JobId(7), "of x/deep/er");
        let links: Vec<_> = above.iter().map(|crumb| crumb.link.as_str()).collect();
        assert_eq!(links, ["/jobs/7/files/", "/jobs/7/files/of%20x", "/jobs/7/files/of%20x/deep"]);
        assert_eq!((name.as_str(), crumbs(&words(), JobId(7), "deep").0.len()), ("er", 1));
    }

    #[test]
    fn a_directory_of_many_files_is_shown_in_parts() {
        let entries: Vec<_> = (0..MOST_ROWS + 5).map(|n| entry(&n.to_string(), EntryKind::File)).collect();
        let (rows, more) = file_rows(&words(), JobId(7), "", &entries, 0, MOST_ROWS);
        assert_eq!((rows.len(), more), (MOST_ROWS, 5));
        let (rows, more) = file_rows(&words(), JobId(7), "", &entries, MOST_ROWS, MOST_ROWS);
        assert_eq!((rows.len(), more), (5, 0));
        assert!(file_rows(&words(), JobId(7), "", &entries, usize::MAX, MOST_ROWS).0.is_empty());
    }
}
