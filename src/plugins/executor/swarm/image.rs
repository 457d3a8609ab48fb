//! What exactly an image's name means: asked of its registry by the manager, so that every node runs the same, and the
//! job can say what it was.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use bollard::models::Service;

use super::Inner;
use crate::plugins::executor::engine::registry;

/// How long an answer holds; a name may mean another image by then.
const HOLDS_FOR: Duration = Duration::from_secs(60);
/// How long a registry is left alone that did not tell. Images that were built on the nodes have none.
const SPARED_FOR: Duration = Duration::from_secs(600);
/// A launch does not wait longer: it goes by the name then, as each node understands it.
const WITHIN: Duration = Duration::from_secs(2);
/// Far more than run at one time.
const REMEMBERED: usize = 1_000;
const DIGEST: &str = "@sha256:";

/// Answers of registries, by the name asked for.
#[derive(Default)]
pub struct Digests(Mutex<HashMap<String, (Instant, Option<String>)>>);

impl Digests {
    fn get(&self, image: &str) -> Option<Option<String>> {
        let known = self.0.lock().expect("no holder of this lock panics");
        let (asked, answer) = known.get(image)?;
        let holds = if answer.is_some() { HOLDS_FOR } else { SPARED_FOR };
        (asked.elapsed() < holds).then(|| answer.clone())
    }

    fn put(&self, image: String, answer: Option<String>) {
        let mut known = self.0.lock().expect("no holder of this lock panics");
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(image, (Instant::now(), answer));
    }
}

impl Inner {
    /// The image as a service has it: by its digest where its registry tells that.
    pub(super) async fn image(&self, image: &str) -> String {
        let image = registry::image(image, self.docker.registry.as_ref());
        if !self.docker.pull || image.contains(DIGEST) {
            return image;
        }
        if let Some(known) = self.digests.get(&image) {
            return known.unwrap_or(image);
        }
        let answer = tokio::time::timeout(WITHIN, self.ask_registry(&image)).await.ok().flatten();
        self.digests.put(image.clone(), answer.clone());
        answer.unwrap_or(image)
    }

    async fn ask_registry(&self, image: &str) -> Option<String> {
        let shown = registry::credentials(image, self.docker.registry.as_ref());
        let found = self.client().await.ok()?.inspect_registry_image(image, shown).await.ok()?;
        Some(format!("{}@{}", without_tag(image), found.descriptor.digest?))
    }
}

/// The image of a service, if it is one exactly.
pub fn digest_of(service: &Service) -> Option<String> {
    let container = service.spec.as_ref()?.task_template.as_ref()?.container_spec.as_ref()?;
    container.image.clone().filter(|image| image.contains(DIGEST))
}

/// A colon before a slash is a registry's port.
fn without_tag(image: &str) -> &str {
    match image.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => name,
        _ => image,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_no_port() {
        for (image, name) in [
            ("debian:stable", "debian"),
            ("debian", "debian"),
            ("reg.lab:5000/tools/blast", "reg.lab:5000/tools/blast"),
            ("reg.lab:5000/tools/blast:2", "reg.lab:5000/tools/blast"),
        ] {
            assert_eq!(without_tag(image), name);
        }
    }
}
