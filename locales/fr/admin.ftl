### L’administration.

