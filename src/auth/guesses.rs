//! Back-off on guesses of passwords and codes, counted in the database, so that several servers count together.
//!
//! A guess is counted before it is looked at, else a hundred at once would all pass. Five are free; after that each
//! costs a wait, 1, 2, 4 … up to 900 seconds; an hour without guesses takes one back. So at most 17 pass in the first
//! hour and 4 in any later one.
//!
//! Guesses are counted by bucket: one for each name that is tried, whether anybody has it or not, and one for each
//! device on which its owner signed in before (`known.rs`). A flood from elsewhere fills the first and leaves the second
//! open; a stolen device is throttled by its own. Tokens, device keys and sessions never come here.

use chrono::{DateTime, Duration, NaiveDateTime, Utc};
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, QueryResult, RunQueryDsl};

use crate::db::dialect::{self, DbConn};
use crate::db::schema::sign_in_failures;
use crate::db::writer::WriteTx;
use crate::error::{Error, Result};

/// Names what guesses are counted by: a keyed hash.
pub type Bucket = [u8; 32];

/// Guesses that cost no wait.
const N_FREE: i32 = 5;
/// Longest wait, in seconds.
const LONGEST_WAIT_S: i64 = 900;
/// Counting further would change no wait, and only delay forgetting: the eleventh that costs has the longest.
const MOST_COUNTED: i32 = N_FREE + 11;
/// Tries to count a guess while other servers count guesses in the same bucket.
const MOST_TRIES: usize = 10;

#[derive(Debug, Clone, PartialEq, Eq, diesel::Queryable)]
struct Count {
    n_guesses: i32,
    counted_at: NaiveDateTime,
    next_at: NaiveDateTime,
}

impl Count {
    /// Returns the count with one guess more at `now`.
    fn and_one(earlier: Option<&Self>, now: NaiveDateTime) -> Self {
        let left = earlier.map_or(0, |count| {
            let n_hours = (now - count.counted_at).num_hours().max(0);
            count.n_guesses.saturating_sub(i32::try_from(n_hours).unwrap_or(i32::MAX)).max(0)
        });
        let n_guesses = (left + 1).min(MOST_COUNTED);
        let wait = Duration::seconds(wait_s(n_guesses));
        Self { n_guesses, counted_at: now, next_at: now + wait }
    }

    /// Returns when it says nothing any more.
    fn forgotten_at(&self) -> NaiveDateTime {
        self.counted_at + Duration::hours(i64::from(self.n_guesses))
    }

    /// Returns the whole seconds until the next guess; `None` where it may come now.
    fn wait(&self, now: NaiveDateTime) -> Option<u32> {
        let left_ms = (self.next_at - now).num_milliseconds();
        if left_ms <= 0 {
            return None;
        }
        Some(u32::try_from((left_ms + 999) / 1_000).unwrap_or(u32::MAX))
    }
}

/// Returns what the `n`th guess costs, in seconds.
fn wait_s(n: i32) -> i64 {
    match u32::try_from(n - N_FREE - 1) {
        Ok(n_doubled) => 1_i64.checked_shl(n_doubled).unwrap_or(LONGEST_WAIT_S).min(LONGEST_WAIT_S),
        Err(_free) => 0,
    }
}

/// Refuses whoever must wait, without counting.
///
/// # Errors
/// `TooManyRequests`, or the database's failure.
pub fn refuse_early(conn: &mut DbConn, bucket: &Bucket, now: DateTime<Utc>) -> Result<()> {
    let count = find(conn, bucket)?;
    match count.and_then(|count| count.wait(now.naive_utc())) {
        Some(wait_s) => Err(Error::too_many_requests(wait_s)),
        None => Ok(()),
    }
}

/// Counts a guess that is about to be looked at.
///
/// # Errors
/// `TooManyRequests` where it must wait, or the database's failure.
pub fn count(tx: &mut WriteTx<'_>, bucket: &Bucket, now: DateTime<Utc>) -> Result<()> {
    forget_old(tx.conn, now)?;
    for _ in 0..MOST_TRIES {
        let earlier = find(tx.conn, bucket)?;
        if let Some(wait_s) = earlier.as_ref().and_then(|count| count.wait(now.naive_utc())) {
            return Err(Error::too_many_requests(wait_s));
        }
        let later = Count::and_one(earlier.as_ref(), now.naive_utc());
        let is_counted = match &earlier {
            Some(earlier) => replace(tx.conn, bucket, earlier, &later)?,
            None => insert(tx, bucket, &later)?,
        };
        if is_counted {
            return Ok(());
        }
    }
    Err(Error::too_many_requests(1))
}

/// Takes a guess back that was none: it was right, or could not be looked at. The next one need not wait; what was
/// guessed before it stays counted.
///
/// # Errors
/// When the database fails.
pub fn take_back(conn: &mut DbConn, bucket: &Bucket, now: DateTime<Utc>) -> QueryResult<usize> {
    let counted =
        sign_in_failures::table.find(bucket.as_slice()).filter(sign_in_failures::n_guesses.gt(0));
    diesel::update(counted)
        .set((
            sign_in_failures::n_guesses.eq(sign_in_failures::n_guesses - 1),
            sign_in_failures::next_at.eq(now.naive_utc()),
        ))
        .execute(conn)
}

/// Writes down that a counted guess was wrong.
///
/// # Errors
/// When the database fails.
pub fn mark_wrong(conn: &mut DbConn, bucket: &Bucket, now: DateTime<Utc>) -> QueryResult<usize> {
    diesel::update(sign_in_failures::table.find(bucket.as_slice()))
        .set(sign_in_failures::failed_at.eq(Some(now.naive_utc())))
        .execute(conn)
}

fn find(conn: &mut DbConn, bucket: &Bucket) -> QueryResult<Option<Count>> {
    sign_in_failures::table
        .find(bucket.as_slice())
        .select((
            sign_in_failures::n_guesses,
            sign_in_failures::counted_at,
            sign_in_failures::next_at,
        ))
        .first(conn)
        .optional()
}

/// Replaces `earlier`; `false` where another server counted meanwhile.
fn replace(
    conn: &mut DbConn,
    bucket: &Bucket,
    earlier: &Count,
    later: &Count,
) -> QueryResult<bool> {
    let unchanged = sign_in_failures::table
        .find(bucket.as_slice())
        .filter(sign_in_failures::n_guesses.eq(earlier.n_guesses))
        .filter(sign_in_failures::counted_at.eq(earlier.counted_at))
        .filter(sign_in_failures::next_at.eq(earlier.next_at));
    let n_replaced = diesel::update(unchanged)
        .set((
            sign_in_failures::n_guesses.eq(later.n_guesses),
            sign_in_failures::counted_at.eq(later.counted_at),
            sign_in_failures::next_at.eq(later.next_at),
            sign_in_failures::forgotten_at.eq(later.forgotten_at()),
        ))
        .execute(conn)?;
    Ok(n_replaced == 1)
}

/// Files the first count of a bucket; `false` where another server was faster.
fn insert(tx: &mut WriteTx<'_>, bucket: &Bucket, first: &Count) -> Result<bool> {
    let inserted = tx.attempt(|tx| {
        let row = (
            sign_in_failures::bucket.eq(bucket.as_slice()),
            sign_in_failures::n_guesses.eq(first.n_guesses),
            sign_in_failures::counted_at.eq(first.counted_at),
            sign_in_failures::next_at.eq(first.next_at),
            sign_in_failures::forgotten_at.eq(first.forgotten_at()),
        );
        Ok(diesel::insert_into(sign_in_failures::table).values(row).execute(tx.conn)?)
    });
    match inserted {
        Ok(_) => Ok(true),
        Err(error) if error.database_cause().is_some_and(is_bucket_taken) => Ok(false),
        Err(error) => Err(error),
    }
}

fn is_bucket_taken(error: &diesel::result::Error) -> bool {
    dialect::is_taken(error, "sign_in_failures_pkey", "sign_in_failures", "bucket")
}

fn forget_old(conn: &mut DbConn, now: DateTime<Utc>) -> QueryResult<usize> {
    let old = sign_in_failures::table.filter(sign_in_failures::forgotten_at.lt(now.naive_utc()));
    diesel::delete(old).execute(conn)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> NaiveDateTime {
        DateTime::from_timestamp(1_711_972_800 + seconds, 0).unwrap().naive_utc()
    }

    /// Guesses as soon as each is let through, for so many seconds; returns when each passed.
    fn guess_for(seconds: i64) -> Vec<i64> {
        let (mut count, mut passed) = (None::<Count>, Vec::new());
        for now in 0..seconds {
            // More than one a second is tried.
            while count.as_ref().and_then(|count| count.wait(at(now))).is_none() {
                count = Some(Count::and_one(count.as_ref(), at(now)));
                passed.push(now);
            }
        }
        passed
    }

    #[test]
    fn five_guesses_are_free_and_each_further_one_doubles_the_wait_up_to_a_quarter_of_an_hour() {
        let waits: Vec<i64> = (1..=18).map(wait_s).collect();

        let right = [0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900];
        assert_eq!(waits, right);
        assert_eq!(wait_s(i32::MAX), 900);
        assert_eq!(wait_s(MOST_COUNTED), 900, "counting on would change nothing");
    }

    #[test]
    fn at_most_thirty_guesses_an_hour_pass_and_four_in_the_long_run() {
        let passed = guess_for(24 * 3_600);
        let in_hour =
            |from: i64| passed.iter().filter(|at| (from..from + 3_600).contains(*at)).count();

        assert_eq!(in_hour(0), 17);
        for from in 0..23 * 3_600 {
            assert!(in_hour(from) <= 30, "{from}: {}", in_hour(from));
        }
        for from in (1..23).map(|hour| hour * 3_600) {
            assert!(in_hour(from) <= 4, "{from}: {}", in_hour(from));
        }
    }

    #[test]
    fn an_hour_of_rest_takes_one_guess_back() {
        let seven = Count { n_guesses: 7, counted_at: at(0), next_at: at(2) };
        let next = |seconds| Count::and_one(Some(&seven), at(seconds)).n_guesses;

        assert_eq!(next(2), 8);
        assert_eq!(next(3_599), 8);
        assert_eq!(next(3_600), 7);
        assert_eq!(next(3 * 3_600), 5);
        assert_eq!(next(100 * 3_600), 1);
        assert_eq!(next(-3_600), 8, "a clock set back takes nothing back");
        assert_eq!(seven.forgotten_at(), at(7 * 3_600));
    }

    #[test]
    fn the_wait_is_told_in_whole_seconds_never_too_few() {
        let count = Count { n_guesses: 7, counted_at: at(0), next_at: at(2) };

        assert_eq!(count.wait(at(0)), Some(2));
        assert_eq!(count.wait(at(1) + Duration::milliseconds(1)), Some(1));
        assert_eq!(count.wait(at(2)), None);
    }
}
