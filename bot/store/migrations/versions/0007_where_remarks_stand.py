"""Where remarks stand, whose comment was heard, who was assigned, and issues that all members can read"""

import sqlalchemy as sa
from alembic import op

revision = '0007'
down_revision = '0006'


def upgrade() -> None:
    with op.batch_alter_table('remark', schema=None) as batch_op:
        batch_op.add_column(sa.Column('tracker', sa.String(), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('repository', sa.String(), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('number', sa.Integer(), nullable=False, server_default='0'))
        batch_op.add_column(sa.Column('synced', sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table('issue', schema=None) as batch_op:
        batch_op.add_column(sa.Column('assigned', sa.JSON(), nullable=False, server_default='[]'))
        batch_op.add_column(sa.Column('exposed', sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table('heard_comment', schema=None) as batch_op:
        batch_op.add_column(sa.Column('said', sa.String(), nullable=False, server_default=''))
