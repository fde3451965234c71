//! How a UUID is stored: `uuid` on `PostgreSQL`, 16 bytes on `SQLite`.

use diesel::deserialize::{self, FromSql};
use diesel::pg::{Pg, PgValue};
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::{Binary, HasSqlType};
use diesel::sqlite::{Sqlite, SqliteType};
use uuid::Uuid;

use crate::db::dialect::connection::MultiBackend;
use crate::ids::Id;

/// The SQL type of every public id.
#[derive(
    Debug, Clone, Copy, Default, diesel::sql_types::SqlType, diesel::query_builder::QueryId,
)]
#[diesel(postgres_type(oid = 2950, array_oid = 2951))]
pub struct DbUuid;

impl HasSqlType<DbUuid> for Sqlite {
    fn metadata((): &mut Self::MetadataLookup) -> SqliteType {
        SqliteType::Binary
    }
}

impl HasSqlType<DbUuid> for MultiBackend {
    fn metadata(lookup: &mut Self::MetadataLookup) -> Self::TypeMetadata {
        Self::lookup_sql_type::<DbUuid>(lookup)
    }
}

impl<K> diesel::expression::AsExpression<DbUuid> for Id<K> {
    type Expression = diesel::internal::derives::as_expression::Bound<DbUuid, Self>;
    fn as_expression(self) -> Self::Expression {
        diesel::internal::derives::as_expression::Bound::new(self)
    }
}

impl<'e, K> diesel::expression::AsExpression<DbUuid> for &'e Id<K> {
    type Expression = diesel::internal::derives::as_expression::Bound<DbUuid, &'e Id<K>>;
    fn as_expression(self) -> Self::Expression {
        diesel::internal::derives::as_expression::Bound::new(self)
    }
}

impl<K> diesel::expression::AsExpression<diesel::sql_types::Nullable<DbUuid>> for Id<K> {
    type Expression =
        diesel::internal::derives::as_expression::Bound<diesel::sql_types::Nullable<DbUuid>, Self>;
    fn as_expression(self) -> Self::Expression {
        diesel::internal::derives::as_expression::Bound::new(self)
    }
}

impl<K> diesel::Queryable<DbUuid, MultiBackend> for Id<K> {
    type Row = Self;
    fn build(row: Self) -> deserialize::Result<Self> {
        Ok(row)
    }
}

impl<K> ToSql<DbUuid, Sqlite> for Id<K> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.uuid().as_bytes().to_vec());
        Ok(IsNull::No)
    }
}

impl<K> ToSql<DbUuid, Pg> for Id<K> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        std::io::Write::write_all(out, self.uuid().as_bytes())?;
        Ok(IsNull::No)
    }
}

impl<K: 'static> ToSql<DbUuid, MultiBackend> for Id<K> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, MultiBackend>) -> serialize::Result {
        out.set_value((DbUuid, self));
        Ok(IsNull::No)
    }
}

impl<K> FromSql<DbUuid, Sqlite> for Id<K> {
    fn from_sql(
        value: <Sqlite as diesel::backend::Backend>::RawValue<'_>,
    ) -> deserialize::Result<Self> {
        let bytes = <Vec<u8> as FromSql<Binary, Sqlite>>::from_sql(value)?;
        Ok(Self::from_uuid(Uuid::from_slice(&bytes)?))
    }
}

impl<K> FromSql<DbUuid, Pg> for Id<K> {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        Ok(Self::from_uuid(Uuid::from_slice(value.as_bytes())?))
    }
}

impl<K> FromSql<DbUuid, MultiBackend> for Id<K> {
    fn from_sql(
        value: <MultiBackend as diesel::backend::Backend>::RawValue<'_>,
    ) -> deserialize::Result<Self> {
        value.from_sql::<Self, DbUuid>()
    }
}
