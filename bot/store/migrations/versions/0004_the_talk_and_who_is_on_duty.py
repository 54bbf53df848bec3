"""What is said on both sides of an issue, what was promised for when, and who is on duty"""

import sqlalchemy as sa
from alembic import op

import bot.store.tables

revision = '0004'
down_revision = '0003'


def upgrade() -> None:
    op.create_table('swap',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('project', sa.String(), nullable=False),
    sa.Column('kind', sa.Enum('takes', 'away', 'everyone', name='arranged', native_enum=False, length=20), nullable=False),
    sa.Column('person', sa.String(), nullable=False),
    sa.Column('first', sa.Date(), nullable=False),
    sa.Column('last', sa.Date(), nullable=False),
    sa.Column('hours', sa.String(), nullable=False),
    sa.Column('by', sa.String(), nullable=False),
    sa.Column('at', bot.store.tables.UTCTime(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_swap'))
    )
    op.create_index(op.f('ix_swap_project'), 'swap', ['project'], unique=False)
    op.create_table('remark',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('issue_id', sa.String(), nullable=False),
    sa.Column('side', sa.Enum('issue', 'thread', name='side', native_enum=False, length=20), nullable=False),
    sa.Column('place', sa.String(), nullable=False),
    sa.Column('copy', sa.String(), nullable=False),
    sa.Column('by', sa.String(), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('answers', sa.String(), nullable=True),
    sa.Column('gone', sa.Boolean(), nullable=False),
    sa.Column('at', bot.store.tables.UTCTime(), nullable=False),
    sa.ForeignKeyConstraint(['answers'], ['news.id'], name=op.f('fk_remark_answers')),
    sa.ForeignKeyConstraint(['issue_id'], ['issue.id'], name=op.f('fk_remark_issue_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_remark')),
    sa.UniqueConstraint('issue_id', 'side', 'place', name=op.f('uq_remark_issue_id_side_place'))
    )
    with op.batch_alter_table('issue', schema=None) as batch_op:
        batch_op.add_column(sa.Column('promised_on', sa.Date(), nullable=True))
        batch_op.add_column(sa.Column('promised_by', sa.String(), nullable=False, server_default=''))
