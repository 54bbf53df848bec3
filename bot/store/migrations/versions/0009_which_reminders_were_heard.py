"""Which steps of reminding were taken, and the days that were promised in order"""

import sqlalchemy as sa
from alembic import op

import bot.store.tables

revision = '0009'
down_revision = '0008'


def upgrade() -> None:
    op.create_table(
        'nudge',
        sa.Column('what', sa.String(), nullable=False),
        sa.Column('subject', sa.String(), nullable=False),
        sa.Column('since', bot.store.tables.UTCTime(), nullable=False),
        sa.Column('step', sa.String(), nullable=False),
        sa.Column('person', sa.String(), nullable=False),
        sa.Column('issue_id', sa.String(), nullable=False),
        sa.Column('at', bot.store.tables.UTCTime(), nullable=False),
        sa.Column('again', sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(['issue_id'], ['issue.id'], name=op.f('fk_nudge_issue_id')),
        sa.PrimaryKeyConstraint('what', 'subject', 'since', 'step', 'person', name=op.f('pk_nudge')),
    )
    with op.batch_alter_table('nudge', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_nudge_issue_id'), ['issue_id'], unique=False)
    with op.batch_alter_table('issue', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_issue_promised_on'), ['promised_on'], unique=False)
