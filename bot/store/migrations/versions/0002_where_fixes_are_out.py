"""Where fixes are out: heads of releases, branches and environments; issues that another took the place of"""

import sqlalchemy as sa
from alembic import op

import bot.store.tables

revision = '0002'
down_revision = '0001'


def upgrade() -> None:
    op.create_table('known_head',
    sa.Column('project', sa.String(), nullable=False),
    sa.Column('place', sa.String(), nullable=False),
    sa.Column('ident', sa.String(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('sha', sa.String(), nullable=False),
    sa.Column('url', sa.Text(), nullable=False),
    sa.Column('at', bot.store.tables.UTCTime(), nullable=True),
    sa.Column('prerelease', sa.Boolean(), nullable=False),
    sa.PrimaryKeyConstraint('project', 'place', 'ident', name=op.f('pk_known_head'))
    )
    op.drop_table('known_release')
    with op.batch_alter_table('escalation', schema=None) as batch_op:
        batch_op.add_column(sa.Column('came_from', sa.String(), nullable=True))

    with op.batch_alter_table('issue', schema=None) as batch_op:
        batch_op.add_column(sa.Column('out', sa.JSON(), nullable=False, server_default='{}'))
        batch_op.add_column(sa.Column('back', sa.JSON(), nullable=False, server_default='{}'))
        batch_op.add_column(sa.Column('joined', sa.String(), nullable=True))
        batch_op.create_foreign_key(batch_op.f('fk_issue_joined'), 'issue', ['joined'], ['id'])
