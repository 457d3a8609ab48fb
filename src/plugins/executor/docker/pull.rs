//! Images that the engine does not have.

use std::sync::Arc;

use bollard::query_parameters::CreateImageOptionsBuilder;
use futures::StreamExt;

use super::Inner;
use crate::plugins::executor::ExecutorError;
use crate::plugins::executor::engine::answer::{is_away, of_docker, sentence};
use crate::plugins::executor::engine::registry;

impl Inner {
    /// Many jobs may want the same image at once: one pulls, the others wait and then find it.
    pub(super) async fn pull_once(&self, image: &str) -> Result<(), ExecutorError> {
        let image = &registry::image(image, self.config.registry.as_ref());
        let turn =
            self.pulls.lock().expect("no holder of this lock panics").entry(image.to_owned()).or_default().clone();
        let pulled = {
            let _turn = turn.lock().await;
            match self.client().await?.inspect_image(image).await {
                Ok(_) => Ok(()),
                Err(_) => self.pull(image).await,
            }
        };
        drop(turn);
        self.pulls.lock().expect("no holder of this lock panics").retain(|_, turn| Arc::strong_count(turn) > 1);
        pulled
    }

    async fn pull(&self, image: &str) -> Result<(), ExecutorError> {
        let missing = |why: &str| ExecutorError::Refused(format!("The image {image} is not to be had: {why}."));
        if !self.config.pull {
            return Err(missing("the engine does not have it, and images are not pulled here"));
        }
        tracing::info!(image, "pulling");
        let tagged = image.contains('@') || image.rsplit('/').next().is_some_and(|last| last.contains(':'));
        let mut options = CreateImageOptionsBuilder::default().from_image(image);
        if !tagged {
            options = options.tag("latest");
        }
        let mut progress = self.client().await?.create_image(
            Some(options.build()),
            None,
            registry::credentials(image, self.config.registry.as_ref()),
        );
        while let Some(step) = progress.next().await {
            match step {
                Ok(_) => {}
                Err(error) if is_away(&error) => return Err(of_docker(error)),
                Err(error) => return Err(missing(&sentence(&error))),
            }
        }
        Ok(())
    }
}
