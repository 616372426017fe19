ALTER TABLE modules DROP COLUMN announced_by;
