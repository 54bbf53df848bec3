"""Which steps of reminding were taken, and the days that were promised in order"""

from datetime import UTC, datetime

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
    _carry_over()


def _carry_over() -> None:
    """Who was reminded of a day that is over is not reminded of it again."""
    moment, connection = bot.store.tables.UTCTime(), op.get_bind()
    effect = sa.table('effect', sa.column('key', sa.String()), sa.column('since', moment))
    names = [sa.column(name, sa.String()) for name in ('what', 'subject', 'step', 'person', 'issue_id')]
    nudge = sa.table('nudge', *names, sa.column('since', moment), sa.column('at', moment), sa.column('again', sa.Boolean()))
    issues = set(connection.scalars(sa.text('SELECT id FROM issue')))
    reminded = sa.select(effect.c.key, effect.c.since).where(effect.c.key.like('overdue:%'))
    for key, at in connection.execute(reminded).all():
        _, issue, day, person = key.split(':')
        if issue in issues:
            since = datetime.fromisoformat(day).replace(tzinfo=UTC)
            row = {'what': 'promise', 'subject': issue, 'step': 'own', 'person': person, 'issue_id': issue}
            connection.execute(sa.insert(nudge).values(since=since, at=at, again=False, **row))
