"""
What portals drawn by script share: documents that are empty until their script has asked what to draw.

A portal on it states templates and addresses (`Site`), whose accounts there are (`People`), and for each origin its pages
and acts (`Origin`); its class derives from its state and from `ScriptedPortal`.
"""
