// Lists of jobs.
{
}
