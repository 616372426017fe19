"""All that is known of one directive, in one signed file that can be checked anywhere.

- `types`: what a bundle says
- `file`: how it is written and read, in each format
- `checks`: what can be found out about it, in order, and what cannot
- `origin`: of which installation it is, and who issued the directive
- `log`: whether its log is one chain, in an order and at times that can be
- `artifacts`: whether artifacts are whole, and by whom they were filed
- `consent`: what the gate decided, and people were asked and granted
- `voters`: who voted, and whether each answer is there
- `runs`: what ran, and how it ended
- `budget`: what was promised, and what became of it
- `facts`: what the checks share
- `repository`: reads what only a bundle carries

All but `repository` is pure.
"""
