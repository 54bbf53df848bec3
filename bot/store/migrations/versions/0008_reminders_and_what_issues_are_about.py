"""Until when people want no reminder of an issue, and the labels that issues have in their tracker"""

import sqlalchemy as sa
from alembic import op

import bot.store.tables

revision = '0008'
down_revision = '0007'


def upgrade() -> None:
    op.create_table(
        'snooze',
        sa.Column('person', sa.String(), nullable=False),
        sa.Column('issue_id', sa.String(), nullable=False),
        sa.Column('until', bot.store.tables.UTCTime(), nullable=False),
        sa.ForeignKeyConstraint(['issue_id'], ['issue.id'], name=op.f('fk_snooze_issue_id')),
        sa.PrimaryKeyConstraint('person', 'issue_id', name=op.f('pk_snooze')),
    )
    with op.batch_alter_table('issue', schema=None) as batch_op:
        batch_op.add_column(sa.Column('labels', sa.JSON(), nullable=False, server_default='[]'))
