### Le profil.

