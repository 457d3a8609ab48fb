### Administration.

