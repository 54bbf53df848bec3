"""Under which number a ticket goes on that was merged into another, or has a follow-up"""

import sqlalchemy as sa
from alembic import op

revision = '0014'
down_revision = '0013'


def upgrade() -> None:
    with op.batch_alter_table('ticket', schema=None) as batch_op:
        batch_op.add_column(sa.Column('goes_on_as', sa.String(), nullable=True))
        batch_op.create_index('ix_ticket_goes_on_as', ['goes_on_as'], unique=False)
    op.execute(
        "UPDATE ticket SET goes_on_as = (SELECT max(write_back.follow_up) FROM write_back"
        " JOIN escalation ON escalation.id = write_back.escalation_id"
        " WHERE escalation.ticket_id = ticket.id AND write_back.follow_up != '')"
    )
    op.drop_column('write_back', 'follow_up')
