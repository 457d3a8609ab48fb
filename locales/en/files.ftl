### Files of a job.

