# What an administrator of Request Tracker does once for Passerelle, and the people of the tests. Takes the file that
# holds the scrip's code; prints three tokens: of Passerelle's user, of the agent Ana, and of the administrator.
use strict;
use warnings;
use utf8;
use lib '/usr/share/request-tracker5/lib', '/usr/local/share/request-tracker5/lib';
use RT -init;
use RT::AuthToken;

my ($code) = @ARGV;

sub done {
    my ($ok, $said) = @_;
    die "$said\n" unless $ok;
    return $ok;
}

sub person {
    my ($name, $real, $email, @more) = @_;
    my $user = RT::User->new(RT->SystemUser);
    done($user->Create(Name => $name, RealName => $real, EmailAddress => $email, @more));
    return $user;
}

sub token {
    my ($user) = @_;
    my ($ok, $said, $text) = RT::AuthToken->new(RT->SystemUser)->Create(Owner => $user->id, Description => 'tests');
    done($ok, $said);
    return $text;
}

sub field {
    my ($name, $type, $of) = @_;
    my $field = RT::CustomField->new(RT->SystemUser);
    done($field->Create(Name => $name, Type => $type, LookupType => $of));
    done($field->AddToObject($of eq 'RT::User' ? RT::User->new(RT->SystemUser) : RT::Queue->new(RT->SystemUser)));
    return $field;
}

sub grant {
    my ($whom, $on, @rights) = @_;
    done($whom->PrincipalObj->GrantRight(Right => $_, Object => $on)) for @rights;
}

my $bot = person('passerelle', 'Passerelle', 'passerelle@acme.example', Privileged => 1);
my $ana = person('ana', 'Ana Moreau', 'ana@acme.example', Privileged => 1);
my $zoe = person('zoe@customer.example', 'Zoé Martin', 'zoe@customer.example', Organization => 'Globex');

my $agents = RT::Group->new(RT->SystemUser);
done($agents->CreateUserDefinedGroup(Name => 'Agents'));
done($agents->AddMember($_->PrincipalId)) for $bot, $ana;
grant($agents, RT->System, qw(SeeQueue ShowTicket ShowTicketComments CommentOnTicket ReplyToTicket ModifyTicket OwnTicket));
my $everyone = RT::Group->new(RT->SystemUser);
$everyone->LoadSystemInternalGroup('Everyone');
grant($everyone, RT->System, qw(CreateTicket ReplyToTicket));

my $marks = field('Passerelle', 'FreeformSingle', 'RT::Queue-RT::Ticket-RT::Transaction');
my $tags = field('Tags', 'FreeformMultiple', 'RT::Queue-RT::Ticket');
my $plan = field('Plan', 'FreeformSingle', 'RT::User');
grant($bot, $marks, qw(SeeCustomField ModifyCustomField));
grant($agents, $tags, qw(SeeCustomField ModifyCustomField));
grant($agents, $plan, 'SeeCustomField');
done($zoe->AddCustomFieldValue(Field => $plan, Value => 'gold'));

# RT writes to a customer whose ticket was resolved. The tests count what agents write.
my $notice = RT::Scrip->new(RT->SystemUser);
$notice->LoadByCols(Description => 'On Resolve Notify Requestors');
done($notice->SetDisabled(1));

open(my $file, '<:encoding(UTF-8)', $code) or die "$code: $!\n";
my $commit = do { local $/; <$file> };
my $scrip = RT::Scrip->new(RT->SystemUser);
done($scrip->Create(
    Description => 'Tell Passerelle',
    Queue => 0,
    ScripCondition => 'On Transaction',
    ScripAction => 'User Defined',
    CustomPrepareCode => 'return 1;',
    CustomCommitCode => $commit,
    Template => 'Blank',
    Stage => 'TransactionBatch',
));

my $root = RT::User->new(RT->SystemUser);
$root->Load('root');
print join("\n", map { token($_) } $bot, $ana, $root), "\n";
