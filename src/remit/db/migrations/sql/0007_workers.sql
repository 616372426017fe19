-- A version of a module names the worker that announced it last, whose certificate stands for it.
ALTER TABLE modules
    ADD COLUMN announced_by uuid CONSTRAINT fk_modules_announced_by REFERENCES workers (id);
GRANT UPDATE (announced_by) ON modules TO remit_app;
