//! What every store does, as a suite that each backend runs: [`run`], with a function that makes an empty store.
//!
//! A guarantee of the traits that is not checked here is not one. It panics where a guarantee does not hold.

mod arrays;
pub mod builders;
mod commits;
mod lists;
mod people;
mod requests;
mod samples;
mod search;
mod tags;

use std::sync::Arc;

pub(super) use builders::a_job;
#[cfg(test)]
pub(super) use lists::combinations;
#[cfg(test)]
pub(super) use search::searches;

use super::Store;

/// Every check, each on a store of its own.
pub async fn run(make: impl AsyncFn() -> Arc<dyn Store>) {
    commits::ids_rise_and_are_never_used_twice(&*make().await).await;
    commits::a_job_reads_back_as_it_was_submitted(&*make().await).await;
    commits::unknown_ids_are_left_out(&*make().await).await;
    commits::only_a_change_of_the_present_revision_applies(&*make().await).await;
    commits::one_of_many_concurrent_changes_wins(make().await).await;
    commits::concurrent_submits_get_ids_of_their_own(make().await).await;
    commits::a_charge_is_counted_once(&*make().await).await;
    commits::a_stale_change_leaves_nothing_behind(&*make().await).await;
    commits::outcomes_tell_how_jobs_ended(&*make().await).await;
    commits::usage_sums_by_day_and_by_pair(&*make().await).await;
    arrays::children_follow_their_parent_without_gaps(&*make().await).await;
    arrays::a_starting_child_starts_its_parent(&*make().await).await;
    arrays::an_array_ends_with_its_last_child(&*make().await).await;
    arrays::an_array_fails_with_a_child(&*make().await).await;
    arrays::a_killed_array_is_killed(&*make().await).await;
    arrays::an_array_may_end_within_one_commit(&*make().await).await;
    arrays::a_new_spec_of_an_array_is_its_childrens(&*make().await).await;
    arrays::removing_an_array_removes_its_children(&*make().await).await;
    requests::a_request_is_written_on_the_phases_named(&*make().await).await;
    requests::nothing_replaces_a_kill(&*make().await).await;
    requests::a_request_reaches_the_children_of_an_array(&*make().await).await;
    requests::a_spec_is_replaced_on_an_active_job_only(&*make().await).await;
    requests::only_what_is_over_is_removed(&*make().await).await;
    lists::lists_honour_every_filter(&*make().await).await;
    lists::lists_come_in_order_and_pages(&*make().await).await;
    lists::counts_are_the_lengths_of_lists(&*make().await).await;
    search::a_search_finds_what_matches_in_its_order(&*make().await).await;
    search::a_search_is_walked_page_by_page_both_ways(&*make().await).await;
    search::words_tags_and_images_are_found_however_they_change(&*make().await).await;
    search::ends_are_told_newest_first(&*make().await).await;
    tags::tags_change_in_every_state(&*make().await).await;
    tags::tags_of_an_array_are_its_childrens(&*make().await).await;
    tags::templates_are_a_users_own(&*make().await).await;
    tags::ledger_rows_are_narrowed(&*make().await).await;
    lists::pending_rows_hold_what_the_scheduler_asks(&*make().await).await;
    lists::pending_rows_come_in_pages(&*make().await).await;
    commits::the_reason_of_an_end_is_read_back(&*make().await).await;
    commits::disk_use_is_of_over_jobs(&*make().await).await;
    commits::disk_use_is_recounted_from_the_records(&*make().await).await;
    people::users_are_created_and_replaced_at_their_revision(&*make().await).await;
    people::a_stale_change_does_nothing_at_all(&*make().await).await;
    people::a_guest_is_found_by_issuer_and_subject_alone(&*make().await).await;
    people::projects_have_members_and_volumes(&*make().await).await;
    people::a_project_with_active_jobs_stays(&*make().await).await;
    people::credentials_open_until_they_are_removed(&*make().await).await;
    people::the_audit_log_is_read_backwards_and_narrowed(&*make().await).await;
    people::everyone_is_in_the_default_project_first(&*make().await).await;
    people::settings_read_back(&*make().await).await;
    people::the_first_to_set_a_setting_sets_it(make().await).await;
    people::processes_are_there_until_they_are_removed(&*make().await).await;
    samples::samples_are_replaced_by_attempt(&*make().await).await;
    samples::samples_stay_until_the_record_goes(&*make().await).await;
    commits::ids_go_on_after_what_is_passed_over(&*make().await).await;
    commits::only_the_newest_fence_lets_through(&*make().await).await;
}
