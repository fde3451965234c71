DROP TRIGGER instance_keys_refuse_retired;
DROP TRIGGER data_keys_refuse_retired;
DROP TABLE key_rotations;
