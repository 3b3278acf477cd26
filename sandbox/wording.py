"""Free words of the imitations in other words of the same meaning, in other letters, and in French."""

from __future__ import annotations

from collections.abc import Callable

# Text as the imitation says it: others of the same meaning, the last one in French.
SAME_MEANING: dict[str, tuple[str, ...]] = {
    "Email address or username": ("Email or user name", "Username / email address", "Courriel ou nom d'utilisateur"),
    "Password": ("Your password", "Enter your password", "Mot de passe"),
    "Username": ("User name", "Your username", "Nom d'utilisateur"),
    "Log in": ("Sign in", "Continue to your account", "Ouvrir une session"),
    "Log out": ("Sign out", "End session", "Fermer la session"),
    "Send code": ("Send my code", "Get a code", "Envoyer le code"),
    "Verification code": ("One-time code", "Security code", "Code de vérification"),
    "Verify your identity": ("Confirm it's you", "Two-step verification", "Vérifiez votre identité"),
    "Choose how to receive your verification code.": (
        "How would you like to get your code?",
        "Pick a way to get your security code.",
        "Comment voulez-vous recevoir votre code?",
    ),
    "Cancel": ("Go back", "Not now", "Annuler"),
    "Search": ("Find", "Go", "Rechercher"),
    "Select a report": ("Please choose", "- none -", "Choisissez un rapport"),
    "Please select": ("Choose a view", "--", "Veuillez choisir"),
    "Report": ("Report type", "Which report?", "Rapport"),
    "From": ("Start month", "First month", "De"),
    "To": ("End month", "Last month", "À"),
    "View": ("Show", "Filter", "Affichage"),
    "Overview": ("Summary", "At a glance", "Aperçu"),
    "Welcome": ("Hello", "Good to see you", "Bienvenue"),
    "No accounts found": ("Nothing found", "No matching account", "Aucun compte"),
    "Select an account": ("Which account?", "Choose an account", "Choisissez un compte"),
    "Select an account first.": ("Please choose an account.", "No account chosen.", "Choisissez d'abord un compte."),
    "Loading": ("One moment", "Please wait", "Chargement"),
    "Ready": ("Complete", "Available", "Prêt"),
    "In progress": ("Running", "Pending", "En cours"),
    "Requested": ("Ordered on", "Submitted", "Demandé"),
    "Report status": ("Your requests", "Requested reports", "État des rapports"),
    "Stay": ("Keep waiting", "No, stay here", "Rester"),
    "Leave this page?": ("Are you leaving?", "Going so soon?", "Quitter la page?"),
    "Select the months": ("Which months?", "Billing months", "Choisissez les mois"),
    "What would you like to download?": ("Choose a document", "Documents", "Que voulez-vous télécharger?"),
    "Invoice summary": ("Summary only", "Short invoice", "Sommaire de la facture"),
    "Your PDF is being prepared.": ("We are working on it.", "Preparing your file.", "Préparation en cours."),
    "Your account has no shared data.": ("No shared plan.", "Nothing is shared.", "Aucune donnée partagée."),
    "Corporate Self Serve": ("Business self-serve", "Welcome", "Libre-service"),
    "Active": ("Open", "In service", "Actif"),
    "Status": ("State", "Condition", "État"),
    "Action": ("Choose", "What to do", "Action"),
    "Selection": ("Choose", "Pick", "Sélection"),
    "Print": ("Print this page", "Printer view", "Imprimer"),
    "e-reports": ("Electronic reports", "Reports online", "Rapports en ligne"),
    "Home": ("Start", "Main page", "Accueil"),
    "Choose Standard reports to begin.": ("Pick an entry above.", "Use the menu.", "Choisissez un rapport."),
    "Back to my account": ("Return to my account", "To my account", "Retour à mon compte"),
    "User name": ("Username", "Login name", "Nom d'utilisateur"),
    "Sign in": ("Log in", "Log on", "Connexion"),
    "Sign out": ("Log out", "Leave", "Déconnexion"),
    "Next": ("More", "Older", "Suivant"),
    "Documents": ("Your documents", "Papers", "Vos documents"),
    "Number": ("No.", "Document", "Numéro"),
    "Date": ("Issued", "Day", "Jour"),
    "Amount": ("Total", "Sum", "Montant"),
    "Title": ("Name", "Subject", "Titre"),
    "Send a code": ("Send me a code", "Get a code", "Envoyer un code"),
    "User name or email": ("Email", "Your login", "Identifiant ou courriel"),
    "Log In": ("Sign In", "Go", "Se connecter"),
    "Send another code": ("Resend", "I did not get a code", "Envoyer un autre code"),
    "I accept": ("Accept and continue", "I agree", "J'accepte"),
    "Remind me later": ("Later", "Decide later", "Plus tard"),
    "Dashboard": ("My fleet", "At a glance today", "Tableau de bord"),
    "Do you use this device often?": ("Is this your own computer?", "Remember you here?", "Est-ce votre appareil?"),
    "You may also like": ("Recommended for you", "Others bought", "Vous aimerez aussi"),
    "Out of stock": ("Sold out", "Currently unavailable", "En rupture de stock"),
    "Pre-order": ("Preorder now", "Reserve", "Précommander"),
    "Discontinued": ("No longer sold", "This product has been retired", "Produit retiré"),
    "What is in this bundle": ("Included products", "You get", "Contenu"),
    "This document cannot be shown": ("Not available", "We are sorry", "Document non disponible"),
}


def _dashed(text: str) -> str:
    return text.replace(" - ", " \N{EN DASH} ").replace("-", "\N{NON-BREAKING HYPHEN}")


LETTERS: tuple[Callable[[str], str], ...] = (
    str.upper,
    str.lower,
    lambda text: text.replace(" ", "\N{NO-BREAK SPACE}"),
    lambda text: _dashed(text).replace(" ", "\N{NO-BREAK SPACE}", 1),
)
