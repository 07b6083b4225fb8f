"""The terminal app in a browser of this machine: a loopback server, its door, its pages, and an app for each tab.

textual-serve brings the protocol between the app, the server and xterm.js; who gets in, what is started and how it
ends is decided here.
"""
