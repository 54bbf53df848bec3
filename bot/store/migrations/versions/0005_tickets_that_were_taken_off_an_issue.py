"""Tickets that were taken off an issue"""

import sqlalchemy as sa
from alembic import op

import bot.store.tables

revision = '0005'
down_revision = '0004'


def upgrade() -> None:
    with op.batch_alter_table('escalation', schema=None) as batch_op:
        batch_op.add_column(sa.Column('taken_off', bot.store.tables.UTCTime(), nullable=True))
