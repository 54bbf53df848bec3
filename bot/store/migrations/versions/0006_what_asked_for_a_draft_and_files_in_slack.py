"""What asked for a draft, what was typed into it and left, and the files that a Slack thread has"""

import sqlalchemy as sa
from alembic import op

import bot.store.tables

revision = '0006'
down_revision = '0005'


def upgrade() -> None:
    with op.batch_alter_table('draft', schema=None) as batch_op:
        batch_op.add_column(sa.Column('key', sa.String(), nullable=True))
        batch_op.add_column(sa.Column('kept_at', bot.store.tables.UTCTime(), nullable=True))
        batch_op.create_index(op.f('ix_draft_person'), ['person'], unique=False)
        batch_op.create_unique_constraint(op.f('uq_draft_key'), ['key'])
    with op.batch_alter_table('escalation', schema=None) as batch_op:
        batch_op.add_column(sa.Column('files', sa.JSON(), nullable=False, server_default='[]'))
