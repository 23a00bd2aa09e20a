"""One file per revision, in order; a revision that has been released is never edited."""
