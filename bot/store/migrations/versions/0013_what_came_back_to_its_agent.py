"""When a write-back came back to its agent, or went to another: what it is reminded of begins anew"""

import sqlalchemy as sa
from alembic import op

import bot.store.tables

revision = '0013'
down_revision = '0012'


def upgrade() -> None:
    with op.batch_alter_table('write_back', schema=None) as batch_op:
        batch_op.add_column(sa.Column('again_at', bot.store.tables.UTCTime(), nullable=True))
