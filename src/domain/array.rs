//! What an array's parent is, seen from its children.

use super::{Ending, Job, JobState, KnownEnd, Outcome, Place, Timestamp, Transition};

/// The state an array parent takes when a child has ended and `over` of `children` are now over; `None` when it stays.
///
/// A parent ends when its last child does: well if all did, killed if it was asked to be, failed otherwise.
pub fn parent_after_child_end(parent: &Job, at: Timestamp) -> Option<JobState> {
    let Place::ArrayParent { children, over, failed } = parent.place else { return None };
    if over < children || !parent.state.is_active() {
        return None;
    }
    let ending = match (&parent.request, failed) {
        (_, 0) => Ending::Done,
        (Some(super::Request::Kill(cause)), _) => cause.ending(),
        _ => Ending::Failed,
    };
    let outcome = Outcome {
        ending,
        exit_code: match ending {
            Ending::Done => Some(0),
            Ending::Killed | Ending::TimeLimit => Some(137),
            _ => Some(1),
        },
        started: parent.state.started(),
        ended: at,
        attempt: None,
        disk_bytes: 0,
        reason: (failed > 0).then(|| KnownEnd::ArrayChildren { failed, children }.into()),
    };
    parent.state.next(Transition::End(outcome)).ok()
}
