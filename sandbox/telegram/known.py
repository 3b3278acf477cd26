"""What the fact sheet knows of Telegram, as clients built on Telethon see it: methods, errors, numbers, how messages come."""

from __future__ import annotations

from sandbox.known import Known, facts

SIGNING = [
    *facts("method", "5", "auth.sendCode", "auth.signIn", "auth.checkPassword", "account.getPassword", "auth.logOut"),
    *facts("method", "5", "auth.importBotAuthorization"),
    *facts(
        "error", "5", "PHONE_CODE_INVALID", "PHONE_CODE_EXPIRED", "SESSION_PASSWORD_NEEDED", "PASSWORD_HASH_INVALID"
    ),
    *facts("error", "5", "PHONE_NUMBER_INVALID", "PHONE_NUMBER_BANNED", "FLOOD_WAIT_<n>"),
    *facts("error", "5", "AUTH_KEY_UNREGISTERED", "AUTH_KEY_DUPLICATED", "BOT_METHOD_INVALID"),
    *facts(
        "format", "5", "sending the code and signing in may be two connections with one auth key and the code's hash"
    ),
    *facts("format", "5", "the phone number of the account itself has no plus"),
    *facts("format", "5", "a session string holds the server's address and a key of 256 bytes"),
    *facts("format", "5", "after a sign-out connecting works, and nobody is signed in"),
    *facts("format", "5", "a key used from two addresses at once is dead from then on"),
    *facts("format", "5", "a number that is nobody's is told after the code"),
    *facts("wait", "4", "24 hours after too many requests for codes"),
]

CHANNELS = [
    *facts("method", "5", "messages.getDialogs", "channels.getFullChannel", "contacts.resolveUsername"),
    *facts("method", "5", "channels.getChannels", "users.getUsers", "messages.checkChatInvite"),
    *facts("method", "5", "messages.importChatInvite", guess=True),
    *facts("error", "5", "USERNAME_NOT_OCCUPIED"),
    # The sheet says that a bare id may be refused; the word is assumed, and that of a channel made private.
    *facts("error", "5", "CHANNEL_INVALID", "CHANNEL_PRIVATE", "INVITE_HASH_EXPIRED", guess=True),
    *facts("format", "5", "dialogs hold persons and small groups beside channels"),
    *facts("format", "5", "a channel in a list of dialogs has no number of members and no description"),
    *facts("format", "5", "members and description are in the full channel"),
    *facts("format", "5", "an access hash of 0 may be refused to accounts"),
    *facts("format", "5", "a public channel can be read without joining it"),
    *facts("format", "5", "noforwards of a channel: its owner forbids saving"),
    *facts("format", "2", "an id is positive and without a mark"),
]

MESSAGES = [
    *facts("method", "5", "messages.getHistory", "messages.search", "channels.getMessages"),
    *facts("method", "9.9", "messages.getForumTopics", "messages.getReplies", guess=True),
    *facts("format", "5", "newest first; ids have gaps; there are service messages"),
    *facts("format", "5", "a deleted id that is asked for is an empty message"),
    *facts("format", "5", "an album is several messages of one group"),
    *facts("format", "5", "a photo has no name"),
    *facts("format", "5", "the id of a document is the same in all forwards and sessions"),
]

FILES = [
    *facts("method", "5", "upload.getFile"),
    *facts("error", "5", "FILE_REFERENCE_EXPIRED"),
    *facts("error", "8.1", "AUTH_BYTES_INVALID"),
    *facts("format", "5", "an offset is a multiple of 4096, a part has at most 512 KB in Telethon"),
    *facts("wait", "5", "a file reference is good for about 2 hours"),
]

WAITS = [
    *facts("wait", "5", "FLOOD_WAIT_<n> names the seconds; Telethon sleeps 60 s and less by itself"),
    *facts("format", "5", "internal errors have the number 500"),
]

KNOWN = Known([*SIGNING, *CHANNELS, *MESSAGES, *FILES, *WAITS])
