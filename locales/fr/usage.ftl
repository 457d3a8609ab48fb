### L’utilisation par jour et par mois.

