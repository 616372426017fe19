"""draft"""
import json, time
import pytest, sqlalchemy as sa
from remit.db.schema import metadata
from remit.operations.auditing import judge
from tests.adversarial.columns_world import build
from tests.support.keys import KEYS

OTHER = {
    "TEXT": ["'forged'"], "UUID": ["gen_random_uuid()"], "INTEGER": ["{c} + 1"], "BIGINT": ["{c} + 1"],
    "DATETIME": ["now() - interval '1 day'"], "JSONB": ["'{{\"forged\": true}}'", "'[\"forged\"]'"], "NUMERIC": ["{c} + 1"], "BOOLEAN": ["NOT {c}"],
    "VARCHAR": ["'forged'"], "BLOB": ["'x'"],
}
WORDS = {
 "directives.status": "draft proposed approved executing complete blocked aborted".split(),
 "directives.status_reason": ["policy","in_doubt","canceled"],
 "approval_requests.status": "pending approved rejected expired canceled invalidated consumed".split(),
 "grants.void_reason": ["canceled"],
 "execution_runs.status": "pending running completed failed canceled".split(),
 "execution_attempts.outcome": ["success","error"],
}
def values(table, col):
    key=f"{table.name}.{col.name}"
    if key in WORDS: return [f"'{w}'" for w in WORDS[key]]
    kind=type(col.type).__name__.upper()
    return [v.format(c=col.name) for v in OTHER.get(kind, ["NULL"])] + (["NULL"] if col.nullable else [])

def attempt(engine, statement):
    with engine.connect() as c:
        tx=c.begin()
        try:
            n=c.execute(sa.text(statement)).rowcount
            c.execute(sa.text("SET CONSTRAINTS ALL IMMEDIATE"))
        except sa.exc.DBAPIError as e:
            tx.rollback()
            return "refused " + (getattr(e.orig,'diag',None) and (e.orig.diag.constraint_name or e.orig.sqlstate) or "?")
        if n==0: tx.rollback(); return "same"
        try:
            found={f.fault for f in judge(c, KEYS)}
        except Exception as e:
            found={"CRASH "+type(e).__name__+str(e)[:80]}
        tx.rollback()
        return "found "+" ".join(sorted(found)) if found else "UNSEEN"

def test_world(engine, tmp_path):
    build(engine, tmp_path / "o")
    out={}
    with engine.connect() as c:
        rights={}
        for t in metadata.sorted_tables:
            for col in t.c:
                rights[t.name,col.name]=(c.execute(sa.text(f"select has_column_privilege('{t.name}','{col.name}','INSERT'), has_column_privilege('{t.name}','{col.name}','UPDATE')")).one())
    for t in metadata.sorted_tables:
        pk=[x.name for x in t.primary_key]
        for col in t.c:
            ins,upd=rights[t.name,col.name]
            res=set()
            if upd:
                with engine.connect() as c:
                    rows=[r[0] for r in c.execute(sa.text(f"select ctid::text from {t.name} order by ctid"))]
                for r in rows[:9]:
                    for v in values(t,col):
                        s=f"UPDATE {t.name} SET {col.name} = {v} WHERE ctid = '{r}' AND {col.name} IS DISTINCT FROM {v}"
                        if "CRASH" in (a:=attempt(engine,s)) or a=="UNSEEN": print(a, s)
                        res.add(a)
            print(t.name, col.name, "ins" if ins else "-", sorted(res) if upd else "-")

def test_insert(engine, tmp_path):
    build(engine, tmp_path / "o")
    with engine.connect() as c:
        rights={}
        for t in metadata.sorted_tables:
            for col in t.c:
                rights[t.name,col.name]=(c.execute(sa.text(f"select has_column_privilege('{t.name}','{col.name}','INSERT')")).scalar_one())
    for t in metadata.sorted_tables:
        cols=[x for x in t.c if rights[t.name,x.name]]
        if not cols: print(t.name,"NO INSERT"); continue
        sel=[]
        names=[]
        for x in cols:
            if t.name=='approval_votes' and x.name=='id' or t.name in('budget_entries','memory_reads') and x.name=='id': continue
            if x.computed is not None or x.identity is not None: continue
            names.append(x.name)
            if x.primary_key and x.name in('id','name','digest','role_name','memory_id','model','run_id'):
                kind=type(x.type).__name__
                sel.append("gen_random_uuid()" if kind=='Uuid' and x.name=='id' else (f"'forged'" if kind=='Text' else x.name))
            elif x.name=='attempt': sel.append("attempt+1")
            elif x.name in ('idempotency_key','kid'): sel.append("'forged'")
            elif t.name=='events' and x.name=='directive_id': sel.append(x.name)
            elif x.name in ('issued_at','requested_at','cast_at','created_at','started_at','announced_at'): sel.append("now()")
            else: sel.append(x.name)
        res={}
        with engine.connect() as c:
            rows=[r[0] for r in c.execute(sa.text(f"select ctid::text from {t.name} order by ctid"))]
        for r in rows[:30]:
            a=attempt(engine,f"INSERT INTO {t.name} ({', '.join(names)}) SELECT {', '.join(sel)} FROM {t.name} WHERE ctid='{r}'")
            res.setdefault(a,[]).append(r)
        print(t.name, {k:len(v) for k,v in res.items()})
