### Les listes de travaux.

