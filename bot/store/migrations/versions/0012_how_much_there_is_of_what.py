"""Counting issues, write-backs and deliveries costs a walk along an index, not through all that they hold"""

from alembic import op

revision = '0012'
down_revision = '0011'


def upgrade() -> None:
    op.create_index('ix_issue_project_stage', 'issue', ['project', 'stage', 'joined'])
    op.drop_index('ix_issue_project', 'issue')
    op.create_index('ix_write_back_state_due_at', 'write_back', ['state', 'due_at'])
    op.drop_index('ix_write_back_state', 'write_back')
    op.create_index('ix_delivery_source_read_at', 'delivery', ['source', 'read_at', 'received_at'])
