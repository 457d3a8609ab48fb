//! What exactly a container runs, whatever its image's name means by tomorrow.

use bollard::query_parameters::InspectContainerOptions;

use super::Inner;

/// Of engines' images; far more than run at one time.
const REMEMBERED: usize = 1_000;

impl Inner {
    /// `None` when the engine does not tell now: it is worth a line on a page, and no launch fails for it.
    pub(super) async fn digest_of(&self, container: &str) -> Option<String> {
        let client = self.client().await.ok()?;
        let found = client.inspect_container(container, None::<InspectContainerOptions>).await.ok()?;
        self.digest(found.image.as_deref()?).await
    }

    /// Where an image came from, as one may pull it again, for its id; that id for one that was made here.
    pub(super) async fn digest(&self, id: &str) -> Option<String> {
        if let Some(known) = self.digests.lock().expect("no holder of this lock panics").get(id) {
            return Some(known.clone());
        }
        let found = self.client().await.ok()?.inspect_image(id).await.ok()?;
        let digest = found.repo_digests.unwrap_or_default().into_iter().next().unwrap_or_else(|| id.to_owned());
        let mut digests = self.digests.lock().expect("no holder of this lock panics");
        if digests.len() >= REMEMBERED {
            digests.clear();
        }
        digests.insert(id.to_owned(), digest.clone());
        Some(digest)
    }
}
