DROP TABLE duplicate_turns;
DROP TABLE duplicate_dismissals;
DROP TABLE duplicate_floods;
DROP TABLE duplicate_pairs;
DROP TABLE duplicate_blocks;
