//! A site that never was: several people, months of jobs, every state a page can show. The same each time, but for the
//! dates, which are counted back from the hour it is.
//!
//! What took months is written through the store, as the actors would have done it, before the server starts
//! ([`people`], [`history`], [`files`]). What is under way is asked for over the API and really runs ([`live`]).
//! To show something more: add it there, name it by [`Named::call`], and it is a `{name}` in the paths of
//! tests/it/browser/states.rs.

mod files;
mod history;
mod live;
mod people;

use std::collections::BTreeMap;

use godocker::domain::{Clock, SystemClock, Timestamp};
use godocker::store::sqlite::SqliteStore;

use super::{Server, native};

/// All but what executors and people tell by themselves.
const CONFIG: &str = "
default_images:
  - { name: Debian, url: 'debian:stable', default: true }
  - { name: BLAST, url: 'ncbi/blast:2.16.0' }
  - { name: R, url: 'r-base:4.4.1' }
constraints: [{ name: storage, value: 'ssd,disk' }]
volumes: [{ name: home, acl: rw }, { name: genomes, acl: ro, path: /usr/share }]
share_project_tasks: true
allow_root: true
guest_allow: true
guest_bind: games
guest_providers:
  - { name: campus, title: Campus login, issuer: 'http://127.0.0.1:9', client_id: none, client_secret: none }
";

pub struct MadeUp {
    pub server: Server,
    named: Named,
    _config: tempfile::TempDir,
}

/// What pages are about, by the names that the table of states uses.
#[derive(Default)]
struct Named(BTreeMap<&'static str, u64>);

impl Named {
    fn call(&mut self, name: &'static str, id: u64) {
        assert!(self.0.insert(name, id).is_none(), "{name} is another's name");
    }
}

impl MadeUp {
    pub async fn start() -> Self {
        let config = tempfile::tempdir().unwrap();
        let path = config.path().join("go-d.ini");
        std::fs::write(&path, CONFIG).unwrap();
        let options = native().with("GODOCKER_NATIVE_RAM", "32").with("GOD_CONFIG", path.to_str().unwrap());
        let mut server = options.start().await;
        server.stop();
        let mut named = Named::default();
        let data = server.dir().join("data");
        let store = SqliteStore::open(&data.join("godocker.db")).unwrap();
        let now = Timestamp::from_secs(SystemClock.now().as_secs() / 3600 * 3600);
        people::write(&*store, now).await;
        history::write(&store, &data.join("shared"), now, &mut named).await;
        drop(store);
        server.start_again().await;
        live::begin(&server, &mut named).await;
        MadeUp { server, named, _config: config }
    }

    /// The number of what has this name.
    pub fn id(&self, name: &str) -> u64 {
        *self.named.0.get(name).unwrap_or_else(|| panic!("nothing is called {name}: there are {:?}", self.named.0))
    }

    /// `/jobs/{failed}` with the number in it.
    pub fn path(&self, path: &str) -> String {
        match path.split_once('{') {
            None => path.to_owned(),
            Some((before, rest)) => {
                let (name, after) = rest.split_once('}').unwrap();
                format!("{before}{}{}", self.id(name), self.path(after))
            }
        }
    }
}
