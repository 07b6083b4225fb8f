"""From a symptom to its cause: which checks are asked, what their facts say of each cause, and the verdict.

cause.py says what a cause is; pert_causes.py, group_causes.py and system_causes.py hold one small judge for each;
causes.py is the table, in the order in which causes explain one another; verdict.py weighs them.
"""
