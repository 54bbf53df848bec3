"""What customers said after they were written to, words for customers, and where tickets went in the helpdesk"""

import sqlalchemy as sa
from alembic import op

import bot.store.tables

revision = '0011'
down_revision = '0010'


def upgrade() -> None:
    with op.batch_alter_table('write_back', schema=None) as batch_op:
        batch_op.add_column(sa.Column('follow_up', sa.String(), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('noticed', sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column('unmarked', sa.JSON(), nullable=False, server_default='[]'))
        batch_op.add_column(sa.Column('confirmation', sa.String(length=20), nullable=True))
        batch_op.add_column(sa.Column('confirmed_at', bot.store.tables.UTCTime(), nullable=True))
        batch_op.add_column(sa.Column('answer', sa.Text(), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('answer_id', sa.String(), nullable=False, server_default=''))
        batch_op.create_index(op.f('ix_write_back_confirmation'), ['confirmation'])
    with op.batch_alter_table('ticket', schema=None) as batch_op:
        batch_op.add_column(sa.Column('fields', sa.JSON(), nullable=False, server_default='[]'))
        batch_op.add_column(sa.Column('assignee', sa.String(), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('status', sa.String(), nullable=False, server_default='open'))
    with op.batch_alter_table('issue', schema=None) as batch_op:
        batch_op.add_column(sa.Column('note', sa.Text(), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('note_by', sa.String(), nullable=False, server_default=''))
