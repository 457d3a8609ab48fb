### Le formulaire d’un nouveau travail.

