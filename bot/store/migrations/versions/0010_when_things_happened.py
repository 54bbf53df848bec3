"""Digests look for what happened lately, however much happened before"""

from alembic import op

revision = '0010'
down_revision = '0009'


def upgrade() -> None:
    op.create_index(op.f('ix_history_at'), 'history', ['at'])
    op.create_index(op.f('ix_issue_created_at'), 'issue', ['created_at'])
    op.create_index('ix_issue_stage_stage_since', 'issue', ['stage', 'stage_since'])
