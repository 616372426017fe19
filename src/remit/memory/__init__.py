"""Box 6, recall: what may be remembered, and the few questions that thinking code may ask.

- `queries`: the four questions, each with its bounds
- `results`: the frozen answers; an embedding is in none of them
- `reader`: the Protocol of whatever answers, and the reader that knows nothing
- `enforcement`: the mark of a question, the record of every read
- `postgres`: the reader of the database
- `vector`: embeddings stored, and searched by meaning
- `writing`: what a new memory may be
- `statements`: what is signed of a memory by its author
- `repository`: the SQL of memories, embeddings, reads and the questions about what else happened
- `nearest`: the search by meaning, as one statement
- `working_memory`: where a run's state of the moment may live
"""
