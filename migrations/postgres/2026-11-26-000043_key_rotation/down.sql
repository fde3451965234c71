DROP TRIGGER instance_keys_refuse_retired ON instance_keys;
DROP TRIGGER data_keys_refuse_retired ON data_keys;
DROP FUNCTION refuse_retired_key();
DROP TABLE key_rotations;
