"""Drills: a case in the sandbox whose cause is kept back, the record of what was looked at, and the score.

drill.py says what a drill is, store.py keeps the one that is going on, choice.py picks its case, ways.py knows which
commands lead to which cause, world.py looks at what was changed, score.py adds up, telling.py says it in words,
course.py is the way from the beginning to the end. How the sandbox is reached is not known here: see `Stage` in
course.py.
"""
