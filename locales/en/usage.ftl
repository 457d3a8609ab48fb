### Use by day and month.

