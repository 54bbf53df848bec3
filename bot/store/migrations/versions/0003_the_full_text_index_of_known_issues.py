"""The full-text index of known issues"""

import sqlalchemy as sa
from alembic import op

import bot.store.tables

revision = '0003'
down_revision = '0002'


def upgrade() -> None:
    op.create_table('known_term',
    sa.Column('term', sa.String(), nullable=False),
    sa.Column('known_id', sa.Integer(), nullable=False),
    sa.Column('weight', sa.Double(), nullable=False),
    sa.PrimaryKeyConstraint('term', 'known_id', name=op.f('pk_known_term')),
    sqlite_with_rowid=False
    )
    op.create_table('known_issue',
    sa.Column('id', sa.Integer(), autoincrement=True, nullable=False),
    sa.Column('project', sa.String(), nullable=False),
    sa.Column('repository', sa.String(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('url', sa.Text(), nullable=False),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('open', sa.Boolean(), nullable=False),
    sa.Column('created_at', bot.store.tables.UTCTime(), nullable=False),
    sa.Column('updated_at', bot.store.tables.UTCTime(), nullable=False),
    sa.Column('closed_at', bot.store.tables.UTCTime(), nullable=True),
    sa.Column('issue_id', sa.String(), nullable=True),
    sa.Column('terms', sa.JSON(), nullable=False),
    sa.ForeignKeyConstraint(['issue_id'], ['issue.id'], name=op.f('fk_known_issue_issue_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_known_issue')),
    sa.UniqueConstraint('project', 'repository', 'number', name=op.f('uq_known_issue_project_repository_number'))
    )
    with op.batch_alter_table('known_issue', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_known_issue_issue_id'), ['issue_id'], unique=False)

    op.create_table('ticket_term',
    sa.Column('term', sa.String(), nullable=False),
    sa.Column('escalation_id', sa.String(), nullable=False),
    sa.Column('weight', sa.Double(), nullable=False),
    sa.ForeignKeyConstraint(['escalation_id'], ['escalation.id'], name=op.f('fk_ticket_term_escalation_id')),
    sa.PrimaryKeyConstraint('term', 'escalation_id', name=op.f('pk_ticket_term')),
    sqlite_with_rowid=False
    )
    with op.batch_alter_table('ticket_term', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_ticket_term_escalation_id'), ['escalation_id'], unique=False)
